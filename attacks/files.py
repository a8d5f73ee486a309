"""
Attack what reads files: whatever is given, statements or a message come of it, soon, and the process lives.

Run `python attacks/files.py`, or with `--quick` for a part of it. One line for each kind of input; exit status 1
if anything failed, with the input that did.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.files import MIB
from eurasia_graph.load import sandbox
from eurasia_graph.store import load_files
from eurasia_graph.text import passages, splitting

# Marks of notes, bullets and numbers of lists that hold letters, which stay outside on purpose.
LETTERED = re.compile(r"\[[^\]\n]*\](?:\([^)\s]*\))?|<sup>[^<]*</sup>|\(?[a-z]{1,5}\)")
SECONDS = 60
# The longest that a text of 60,000 letters takes to be split; what goes back and forth takes minutes.
SPLITTING_S = 15
MEMORY = 1500 * MIB
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://a/">'
SOUND = {
    "ttl": "PREFIX a: <http://a/>\na:s a:p 'x'@en, 1.50, [ a:q ( 1 2 ) ], <<( a:s a:p a:o )>> .\n",
    "nt": '<http://a/s> <http://a/p> "x"^^<http://a/d> .\n_:b <http://a/p> "\\u00e9" .\n',
    "nq": "<http://a/s> <http://a/p> <http://a/o> <http://a/g> .\n",
    "trig": "PREFIX a: <http://a/>\na:g { a:s a:p 'x', [] }\n",
    "rdf": f'<?xml version="1.0"?>{RDF}<a:C rdf:about="http://a/s" a:q="1"><a:p xml:lang="en">x</a:p></a:C></rdf:RDF>',
    "owl": f"{RDF}<rdf:Description rdf:about='http://a/s'><a:p rdf:parseType='Literal'><b>x</b></a:p></rdf:Description></rdf:RDF>",
    "jsonld": '{"@context": {"p": "http://a/p"}, "@id": "http://a/s", "p": [1, {"@list": ["x"]}]}',
    "n3": "@prefix a: <http://a/> . a:s a:p a:o ; = a:t .\n",
}
TEXT = (
    "The League\n\nIt was founded in Osh.[1] Gen. Ivanov (b. 1950) signed Art. 5 on Dec. 26, 1991.² “Will it last?” "
    "Karimov asked. It cost 3.5 bn.3 It had aims: 1. trade; 2. peace.\n\n1. Trade\n2. Peace\n• Ships\n\n[1] A. Lee, p. 4.\n"
)


def main(quick: bool) -> int:
    """Run every kind of attack; return how many inputs failed."""
    times = 1 if quick else 10
    failures = 0
    with tempfile.TemporaryDirectory(prefix="attack-files-") as folder:
        for name, count, attack in (
            ("changed files of every format", 1 if quick else 30, changed),
            ("files cut short", 1 if quick else 20, cut_short),
            ("nesting of every kind", times, nested),
            ("entities in entities", 1, entities),
            ("packed files, sound, broken and bombs", 1, packed),
            ("long terms and prefixes", 1, long_terms),
            ("not a regular file", 1, odd),
            ("rubbish under any extension", times, rubbish),
        ):
            failures += report(name, Path(folder), attack(Path(folder), random.Random(name), count), read)
        failures += report("texts as people paste them, changed", Path(folder), texts(100 if quick else 3000), split)
        length = 20_000 if quick else 60_000
        failures += report("texts made to take long", Path(folder), slow_texts(length), split)
    return failures


def report(
    name: str, _folder: Path, inputs: Iterator[tuple[str, object]], check: Callable[[object], str | None]
) -> int:
    """Try all inputs of a kind and print a line on them."""
    failed, count, begin = [], 0, time.monotonic()
    for label, given in inputs:
        count += 1
        fault = check(given)
        if fault:
            failed.append(f"  {label}: {fault}")
    print(f"{name}: {count} inputs, {len(failed)} failures, {time.monotonic() - begin:.1f} s")
    print("\n".join(failed[:5]), end="\n" if failed else "")
    return len(failed)


# --- files ---------------------------------------------------------------------------------


def read(given: object) -> str | None:
    """Read a file as `serve` does; say what is wrong with what came of it."""
    assert isinstance(given, Path)
    begin = time.monotonic()
    try:
        load_files([given])
    except EurasiaGraphError as error:
        if "\n" in str(error) or "; " not in str(error):
            return f"the message is not one line with a way out: {error!s:.200}"
    except BaseException as error:  # noqa: BLE001  (whatever comes of it is the finding)
        return f"{type(error).__name__}: {error!s:.200}"
    took, memory = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if took > SECONDS:
        return f"took {took:.0f} s"
    return f"took {memory // MIB} MiB" if memory > MEMORY else None


def write(folder: Path, name: str, content: bytes | str) -> tuple[str, Path]:
    """Write a file and return it with its name."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return name, path


def changed(folder: Path, chance: random.Random, count: int) -> Iterator[tuple[str, object]]:
    """Sound files with bytes changed, put in or taken out."""
    for extension, content in SOUND.items():
        yield write(folder, f"sound.{extension}", content)
        for number in range(count):
            raw = bytearray(content.encode())
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(raw))
                choice = chance.randrange(3)
                if choice == 0:
                    raw[at] = chance.randrange(256)
                elif choice == 1:
                    raw[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 5)))
                else:
                    del raw[at : at + chance.randint(1, 5)]
                    raw = raw or bytearray(b"x")
            yield write(folder, f"changed-{number}.{extension}", bytes(raw))


def cut_short(folder: Path, chance: random.Random, count: int) -> Iterator[tuple[str, object]]:
    """Sound files, packed and not, without their ends."""
    for extension, content in SOUND.items():
        for number in range(count):
            whole = gzip.compress(content.encode()) if (number + len(extension)) % 3 == 0 else content.encode()
            name = f"cut-{number}.{extension}" + (".gz" if (number + len(extension)) % 3 == 0 else "")
            yield write(folder, name, whole[: chance.randrange(1, len(whole))])


def nested(folder: Path, _chance: random.Random, count: int) -> Iterator[tuple[str, object]]:
    """Everything that can stand in itself, deep and deeper, closed and open."""
    say = "<http://a/s> <http://a/p> "
    kinds = {
        "ttl": [("[ <http://a/p> ", "]"), ("(", ")"), (f"<<( {say}", " )>>"), (f"<< {say}", " >>")],
        "trig": [("[ <http://a/p> ", "]"), ("{", "}")],
        "n3": [("{ " + say, "}"), ("(", ")"), ("<http://a/x>!", "")],
        "nt": [(f"<<( {say}", " )>>")],
        "jsonld": [
            ('{"http://a/p":', "}"),
            ("[", "]"),
            ('{"@list":[', "]}"),
            ('{"@context":{"p":', "}}"),
            ('{"@graph":', "}"),
        ],
        "rdf": [("<a:C><a:p>", "</a:p></a:C>"), ('<a:p rdf:parseType="Resource">', "</a:p>")],
    }
    before = {"jsonld": "", "rdf": RDF + "<a:C>", "n3": "<http://a/s> <http://a/p> "}
    for extension, pairs in kinds.items():
        for number, (opening, closing) in enumerate(pairs):
            for depth in (200, 20_000) if count > 1 else (8_000,):
                text = before.get(extension, say) + opening * depth
                end = {"jsonld": "", "rdf": "</a:C></rdf:RDF>"}.get(extension, " .")
                yield write(folder, f"open-{number}-{depth}.{extension}", text)
                yield write(folder, f"closed-{number}-{depth}.{extension}", f"{text}1{closing * depth}{end}")


def entities(folder: Path, _chance: random.Random, _count: int) -> Iterator[tuple[str, object]]:
    """Entities that grow, refer to themselves, or stand elsewhere."""
    for levels in (3, 6, 9):
        inner = "".join(f'<!ENTITY e{each + 1} "{f"&e{each};" * 10}">' for each in range(levels))
        head = f'<!DOCTYPE r [<!ENTITY e0 "aaaaaaaaaa">{inner}]>{RDF}'
        yield write(folder, f"text-{levels}.rdf", f"{head}<a:C><a:p>&e{levels};</a:p></a:C></rdf:RDF>")
        yield write(folder, f"attribute-{levels}.rdf", f'{head}<a:C a:p="&e{levels};"/></rdf:RDF>')
        yield write(folder, f"iri-{levels}.owl", f'{head}<a:C rdf:about="http://a/&e{levels};"/></rdf:RDF>')
    yield write(
        folder, "circle.rdf", f'<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]>{RDF}<a:C a:p="&a;"/></rdf:RDF>'
    )
    for where in ("file:///etc/passwd", "http://127.0.0.1:9/x", "/dev/zero"):
        yield write(
            folder, "outside.rdf", f'<!DOCTYPE r [<!ENTITY a SYSTEM "{where}">]>{RDF}<a:C a:p="&a;"/></rdf:RDF>'
        )
        yield write(folder, "dtd.rdf", f'<!DOCTYPE r SYSTEM "{where}">{RDF}<a:C a:p="1"/></rdf:RDF>')
        yield write(
            folder, "parameter.rdf", f'<!DOCTYPE r [<!ENTITY % a SYSTEM "{where}"> %a;]>{RDF}<a:C a:p="1"/></rdf:RDF>'
        )


def packed(folder: Path, _chance: random.Random, _count: int) -> Iterator[tuple[str, object]]:
    """Packed files: in members, in each other, with rubbish behind, and much in little."""
    line = SOUND["nt"].encode()
    yield write(folder, "members.nt.gz", gzip.compress(line) + gzip.compress(line))
    yield write(folder, "twice.nt.gz", gzip.compress(gzip.compress(line)))
    yield write(folder, "behind.nt.gz", gzip.compress(line) + b"rubbish")
    yield write(folder, "empty.nt.gz", gzip.compress(b""))
    yield write(folder, "head.nt.gz", b"\x1f\x8b")
    for name, much in (
        ("lines.nq.gz", line * 300_000),
        ("blanks.ttl.gz", b" " * (24 << 20)),
        ("zeros.rdf.gz", bytes(24 << 20)),
    ):
        yield write(folder, name, gzip.compress(much, 1))


def long_terms(folder: Path, _chance: random.Random, _count: int) -> Iterator[tuple[str, object]]:
    """A term, a name or a prefix that is longer than anything meant."""
    much = "x" * (20 << 20)
    yield write(folder, "literal.ttl", f'<http://a/s> <http://a/p> "{much}" .')
    yield write(folder, "iri.nt", f"<http://a/{much}> <http://a/p> <http://a/o> .")
    yield write(folder, "comment.ttl", f"# {much}\n<http://a/s> <http://a/p> 1 .")
    yield write(folder, "value.jsonld", f'{{"http://a/p": "{much}"}}')
    yield write(folder, "attribute.rdf", f'{RDF}<a:C a:p="{much}"/></rdf:RDF>')
    lines = "".join(f"a:{number} a:p a:o .\n" for number in range(2000))
    yield write(folder, "prefix.ttl", f"PREFIX a: <http://a/{much[: 1 << 20]}>\n{lines}")


def odd(folder: Path, _chance: random.Random, _count: int) -> Iterator[tuple[str, object]]:
    """Folders, pipes, devices, links in circles, names of bytes, and what is not there."""
    inside = folder / "odd"
    inside.mkdir()
    (inside / "folder.ttl").mkdir()
    os.mkfifo(inside / "pipe.ttl")
    for name, target in (
        ("zero.ttl", "/dev/zero"),
        ("tty.ttl", "/dev/tty"),
        ("circle.ttl", "circle.ttl"),
        ("gone.ttl", "x"),
    ):
        (inside / name).symlink_to(target)
    for path in sorted(inside.iterdir()):
        yield path.name, path
    yield "no name", inside / ("x" * 300 + ".ttl")
    for raw in (b"caf\xe9.nt", b"\xff\xfe.ttl", b"new\nline.nt", b"\x1b[31m.nt"):
        yield write(inside, os.fsdecode(raw), SOUND["nt"])


def rubbish(folder: Path, chance: random.Random, count: int) -> Iterator[tuple[str, object]]:
    """Bytes that mean nothing, and nothing at all."""
    for extension in (*SOUND, "xml", "json", "ttl.gz", "x", ""):
        yield write(folder, f"empty.{extension}", b"")
        for number in range(count):
            yield write(folder, f"bytes-{number}.{extension}", chance.randbytes(chance.choice((1, 3, 100, 20_000))))


# --- texts ---------------------------------------------------------------------------------


def texts(count: int) -> Iterator[tuple[str, object]]:
    """A text with marks, numbers and quotations, letters of it moved, doubled and taken out."""
    chance = random.Random(5)
    odd_letters = "[]()¹².,;:!?…“”‘’'\"*_#-–•\n\n\n  0123456789aZÀж中\u00ad\u200b\u2028\t"
    for number in range(count):
        letters = list(TEXT)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(letters))
            letters[at : at + chance.randrange(3)] = chance.choices(odd_letters, k=chance.randrange(3)) or ["."]
        yield f"text {number}", "".join(letters)


def slow_texts(length: int) -> Iterator[tuple[str, object]]:
    """Texts on which rules that go back and forth would take for ever."""
    for piece in (
        ".",
        "?!",
        "[1]",
        ". [1",
        "(1)",
        "¹",
        "“",
        "*_",
        " ",
        "\n",
        "a.",
        "A. ",
        "1. ",
        "Art. ",
        "1,",
        "[[1]](#",
        "- ",
        "<!--",
        "x[a]",
    ):
        yield f"{piece!r} many times", piece * (length // len(piece))
        yield f"{piece!r} many times, with an end", "It was. " + piece * (length // len(piece)) + " The end."


def split(given: object) -> str | None:
    """Split a text; say whether a letter is lost or stands twice, or whether it took long."""
    assert isinstance(given, str)
    begin = time.process_time()
    try:
        pieces = splitting.split(given)
        passages.describe(given, pieces[:1000])
    except Exception as error:  # noqa: BLE001  (whatever comes of it is the finding)
        return f"{type(error).__name__}: {error!s:.200} in {given[:200]!r}"
    spans = sorted((span.start, span.end) for piece in pieces for span in piece.spans)
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        return f"slices overlap in {given[:200]!r}"
    inside = sum(each.isalpha() for start, end in spans for each in given[start:end])
    marks = sum(each.isalpha() for match in LETTERED.finditer(given) for each in match.group())
    if not sum(each.isalpha() for each in given) - marks <= inside:
        return f"letters are lost in {given[:200]!r}"
    took = time.process_time() - begin
    return f"took {took:.0f} s" if took > SPLITTING_S * min(1, len(given) / 60_000) + 1 else None


if __name__ == "__main__":
    # Less than honest files may take, so that the limits are met by small ones.
    sandbox.FREE = 8 * MIB
    sandbox.MEMORY = 400 * MIB
    sandbox.SECONDS = 1 if "--quick" in sys.argv else sandbox.SECONDS
    sys.exit(1 if main("--quick" in sys.argv) else 0)
