"""
Attack what keeps releases: nothing is served that was not written, and nothing is half there.

Run `python attacks/cache.py`, or with `--quick` for a part of it. One line for each kind of input; exit status 1
if anything failed, with the input that did.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Store

from eurasia_graph import files
from eurasia_graph.build import kept
from eurasia_graph.build.kept import UnfitError
from eurasia_graph.store import ReleaseStore

NAMES = ("release.nq", "release.json", "release.sha256")
# Keeps a release again and again until it is killed; a second argument makes each one another.
KEEPER = """
import pathlib, sys
sys.path.insert(0, sys.argv[2])
import cache
for number in range(100_000):
    cache.kept.keep(cache.release(2000), pathlib.Path(sys.argv[1]))
"""
WRITER = """
import pathlib, sys
from eurasia_graph import files
target = pathlib.Path(sys.argv[1])
for number in range(100_000):
    with files.new_folder(target.parent, ".out.new-") as scratch:
        for name in ("release.nq", "release.json"):
            (scratch / name).write_text(str(number) * 50_000)
        files.put(scratch, target)
"""


def release(size: int = 200) -> ReleaseStore:
    """Make a release of some quads, each of which stands in the default graph as well when it is opened."""
    engine = Store()
    engine.extend(
        Quad(NamedNode(f"http://a/{number}"), NamedNode("http://a/p"), Literal(f"é {number}"), NamedNode("http://a/g"))
        for number in range(size)
    )
    digest = hashlib.sha256(b"a release").hexdigest()
    return ReleaseStore(
        engine, iri=NamedNode("http://a/release"), content=digest, inputs=digest, warnings=["a warning"]
    )


def main(quick: bool) -> int:
    """Run every kind of attack; return how many inputs failed."""
    times = 1 if quick else 10
    failures = 0
    with tempfile.TemporaryDirectory(prefix="attack-cache-") as folder:
        place = Path(folder, "cache", "0" * 32)
        for name, damages in (
            ("one bit flipped", flips(200 * times)),
            ("cut short or made longer", lengths(50 * times)),
            ("descriptions of other types, with digests that fit", descriptions()),
            ("bytes that mean nothing", rubbish(50 * times)),
            ("rights and kinds of files", kinds()),
        ):
            failures += report(name, (damaged(place, damage) for damage in damages))
        failures += report("killed while keeping", killed(place, 10 * times))
        failures += report("killed while writing a folder", killed_writing(Path(folder, "out"), 10 * times))
        failures += report("several at once", at_once(place, 3 * times))
    return failures


def report(name: str, faults: Iterator[str | None]) -> int:
    """Try all inputs of a kind and print a line on them."""
    begin, found = time.monotonic(), list(faults)
    failed = [fault for fault in found if fault]
    print(f"{name}: {len(found)} inputs, {len(failed)} failures, {time.monotonic() - begin:.1f} s")
    print("".join(f"  {fault}\n" for fault in failed[:5]), end="")
    return len(failed)


# --- damages -------------------------------------------------------------------------------


def damaged(place: Path, damage: Callable[[Path], None]) -> str | None:
    """Keep a release, damage it and take it up; say what is wrong with what came of it."""
    files.remove(place.parent)
    wanted = release()
    kept.keep(wanted, place)
    damage(place)
    try:
        found = kept.load_kept(place)
    except UnfitError as error:
        return None if "\n" not in str(error) else f"{damage.__doc__}: more than a line: {error}"
    except BaseException as error:  # noqa: BLE001  (whatever comes of it is the finding)
        return f"{damage.__doc__}: {type(error).__name__}: {error!s:.200}"
    return f"{damage.__doc__}: reused" if found else None


def changing(label: str, name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Make a damage of what it does to the bytes of a file."""

    def damage(place: Path) -> None:
        raw = (place / name).read_bytes()
        (place / name).write_bytes(change(raw))

    damage.__doc__ = f"{label} of {name}"
    return damage


def flips(count: int) -> Iterator[Callable[[Path], None]]:
    """Turn one bit, anywhere."""
    chance = random.Random(1)
    for _ in range(count):
        at, bit = chance.random(), 1 << chance.randrange(8)

        def flip(raw: bytes, at: float = at, bit: int = bit) -> bytes:
            index = int(at * len(raw))
            return raw[:index] + bytes([raw[index] ^ bit]) + raw[index + 1 :]

        yield changing(f"bit {bit} at {at:.3f}", chance.choice(NAMES), flip)


def lengths(count: int) -> Iterator[Callable[[Path], None]]:
    """Take an end off, or put one on."""
    chance = random.Random(2)
    for number in range(count):
        at = chance.random()
        name = chance.choice(NAMES)
        if number % 3:
            yield changing(f"{at:.3f}", name, lambda raw, at=at: raw[: int(at * len(raw))])  # type: ignore[misc]
        else:
            yield changing("a longer one", name, lambda raw: raw + raw[-40:])


def descriptions() -> Iterator[Callable[[Path], None]]:
    """Write what JSON can say in the place of what is meant, and digests that fit it."""
    odd: list[Any] = [None, True, 0, -1, 1.5, 10**400, "", "x", [], [1], {}, {"quads": 1}, "\ud800"]
    for key in (None, "quads", "content", "inputs", "iri", "warnings"):
        for value in odd:

            def damage(place: Path, key: str | None = key, value: Any = value) -> None:
                described = json.loads((place / "release.json").read_text(encoding="utf-8"))
                if key is not None and described[key] == value:
                    value = {"another": value}
                text = json.dumps(value if key is None else described | {key: value})
                seal(place, text.encode())

            damage.__doc__ = f"{key}: {value!r:.30}"
            if not (key == "warnings" and value == []):  # that is a sound description
                yield damage
    for text in ("[" * 200_000, '{"a":' * 200_000, "nul", "{", '{"quads": NaN}', '{"quads": 1, "quads": 2}'):

        def damage_text(place: Path, text: str = text) -> None:
            seal(place, text.encode())

        damage_text.__doc__ = text[:20]
        yield damage_text


def seal(place: Path, description: bytes) -> None:
    """Write a description, and digests as a release that was kept so would have them."""
    (place / "release.json").write_bytes(description)
    lines = [
        f"{hashlib.sha256((place / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("release.nq", "release.json")
    ]
    (place / "release.sha256").write_text("".join(lines), encoding="utf-8")


def rubbish(count: int) -> Iterator[Callable[[Path], None]]:
    """Put bytes that mean nothing in the place of a file."""
    chance = random.Random(3)
    for _ in range(count):
        content = chance.randbytes(chance.choice((0, 1, 64, 65, 1000, 70_000)))
        yield changing(f"{len(content)} bytes in the place", chance.choice(NAMES), lambda _, content=content: content)  # type: ignore[misc]


def kinds() -> Iterator[Callable[[Path], None]]:
    """Give rights away, and put pipes, links, folders and devices in the place of files."""
    for mode in (0o777, 0o770, 0o707, 0o750, 0o705, 0o701, 0o2777):
        yield labelled(f"mode {mode:o} of the folder", lambda place, mode=mode: place.chmod(mode))  # type: ignore[misc]
    for mode in (0o777, 0o722):
        yield labelled(f"mode {mode:o} of the cache", lambda place, mode=mode: place.parent.chmod(mode))  # type: ignore[misc]
    for name in NAMES:
        yield labelled(f"{name} that all may write", lambda place, name=name: (place / name).chmod(0o666))  # type: ignore[misc]
        yield labelled(f"no {name}", lambda place, name=name: (place / name).unlink())  # type: ignore[misc]
        for what, make in (
            ("a pipe", os.mkfifo),
            ("a folder", os.mkdir),
            ("a device", lambda path: path.symlink_to("/dev/zero")),
            ("a link in a circle", lambda path: path.symlink_to(path)),
        ):
            yield labelled(f"{what} for {name}", lambda place, name=name, make=make: swap(place / name, make))  # type: ignore[misc]
    yield labelled("a link for the folder", linked)
    yield labelled("a file for the folder", lambda place: swap(place, Path.touch))
    yield labelled("a pipe for the folder", lambda place: swap(place, os.mkfifo))


def labelled(label: str, damage: Callable[[Path], object]) -> Callable[[Path], None]:
    """Name a damage."""

    def named(place: Path) -> None:
        damage(place)

    named.__doc__ = label
    return named


def swap(path: Path, make: Callable[[Path], object]) -> None:
    """Put something else in the place of a file or folder."""
    files.remove(path)
    make(path)


def linked(place: Path) -> None:
    """Put a link to it in the place of the folder."""
    moved = place.with_name("moved")
    place.rename(moved)
    place.symlink_to(moved)


# --- processes -----------------------------------------------------------------------------


def killed(place: Path, count: int) -> Iterator[str | None]:
    """Kill a process that keeps releases at any moment; what is there is whole, and the next one clears up."""
    chance = random.Random(4)
    files.remove(place.parent)
    for number in range(count):
        with subprocess.Popen([sys.executable, "-c", KEEPER, str(place), str(Path(__file__).parent)]) as process:
            while not place.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.random() / 5)
            process.kill()
        try:
            found = kept.load_kept(place)
            yield None if found and len(found.engine) == 2 * 2000 else f"kill {number}: nothing is kept"
        except UnfitError as error:
            yield f"kill {number}: {error}"
    kept.keep(release(), place)
    left = [path.name for path in place.parent.iterdir()]
    yield None if left == [place.name] else f"left: {left}"
    yield None if stat.S_IMODE(place.stat().st_mode) == 0o700 else "the folder is open to others"


def killed_writing(target: Path, count: int) -> Iterator[str | None]:
    """Kill a process that writes a folder at any moment: its two files are always of one release."""
    chance = random.Random(5)
    for number in range(count):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(target)]) as process:
            while not target.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.random() / 5)
            process.kill()
        texts = {path.read_text(encoding="utf-8") for path in target.iterdir()} if target.exists() else set()
        yield None if len(texts) == 1 else f"kill {number}: {len(texts)} releases in one folder"
    with files.new_folder(target.parent, ".out.new-") as scratch:
        left = [path.name for path in target.parent.glob(".out.new-*") if path != scratch]
        yield None if not left else f"left: {left}"


def at_once(place: Path, count: int) -> Iterator[str | None]:
    """Let several processes keep a release under one name while it is being reused: it is complete or not there."""
    for number in range(count):
        files.remove(place.parent)
        keepers = [
            subprocess.Popen([sys.executable, "-c", KEEPER, str(place), str(Path(__file__).parent)]) for _ in range(3)
        ]
        fault, end = None, time.monotonic() + 2
        while time.monotonic() < end and not fault:
            try:
                found = kept.load_kept(place)
                fault = "half of it" if found and len(found.engine) != 2 * 2000 else None
            except UnfitError as error:
                fault = None if "No such file" in str(error) else str(error)
        dead = [keeper.poll() for keeper in keepers if keeper.poll() is not None]
        for keeper in keepers:
            keeper.kill()
            keeper.wait()
        yield f"round {number}: {fault or f'keepers ended: {dead}'}" if fault or dead else None
    shutil.rmtree(place.parent, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(1 if main("--quick" in sys.argv) else 0)
