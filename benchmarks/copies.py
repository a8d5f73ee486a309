"""Copies of the shipped texts under other names, all of which speak of the same bodies and actors."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from eurasia_graph import paths

SHIPPED = ("eurasianism-central-asia", "icds-2016")


def copy_data(folder: Path, sources: int) -> Path:
    """
    Write a data folder with so many sources, which are copies of the two that are shipped.

    Args:
        folder: Where to; it is made.
        sources: How many; the first two have the names of the shipped ones, and the links are theirs.
    """
    data = paths.root() / "data"
    shutil.copytree(data / "entities", folder / "entities")
    for name in ("links.ttl", "notes.ttl"):
        if (data / name).is_file():
            shutil.copy(data / name, folder / name)
    for number in range(sources):
        name = SHIPPED[number % 2]
        other = name if number < len(SHIPPED) else f"{name}-{number // 2 + 1}"
        target = folder / "sources" / other
        target.mkdir(parents=True)
        for path in (data / "sources" / name).glob("*.ttl"):
            text = re.sub(rf"(?<!author-of-)\b{name}(?=[-:/>\s])", other, path.read_text(encoding="utf-8"))
            text = re.sub(r'(prefLabel "[^"]*)"', rf'\1, copy {number}"', text)
            (target / path.name).write_text(text, encoding="utf-8")
    return folder
