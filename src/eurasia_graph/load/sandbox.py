"""
Read untrusted RDF files in a separate process.

Reading a malicious file can use up the memory, take hours or crash the process: nested entities, nested lists, a
gigabyte in a few bytes. So a second process reads it, with time and memory limits that grow with the file, and
passes the statements on as N-Quads; if it fails, the failure becomes a message.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from pyoxigraph import DefaultGraph, Quad, RdfFormat, Triple, parse, serialize

from eurasia_graph.errors import StoreError, UsageError
from eurasia_graph.files import MIB, named, open_regular
from eurasia_graph.formats import EXTENSIONS_READ, NAMES_READ, Format, by_name, readable

# Far above what ordinary files need. Gzip compresses N-Quads to a thirtieth, and a bomb to a thousandth; Turtle with
# long prefixes becomes twenty times as long as N-Quads.
UNPACKED_PER_BYTE, STATEMENTS_PER_BYTE, FREE = 100, 100, 64 * MIB
LIKELY_UNPACKED_PER_BYTE, STATEMENTS_PER_PACKED_BYTE = 30, 300
SECONDS, BYTES_PER_SECOND = 5, 1 * MIB
MEMORY, MEMORY_PER_BYTE = 1024 * MIB, 8
DEEPEST_TRIPLE_TERM = 16
GZIP = b"\x1f\x8b"
HEAD = 4096

XML = re.compile(r"<\?xml|<!(?:DOCTYPE|--)|<[A-Za-z_][\w.-]*(?::[\w.-]+)?(?=[\s>/])[^<]*xmlns")
PROLOGUE = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*", re.DOTALL)
ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[^>]*>?")
OTHER_SYNTAXES = (
    (re.compile(r"\s*(?:Prefix|Ontology)\s*\("), "the functional syntax of OWL"),
    (re.compile(r"\s*(?:Prefix|Ontology|Class|Individual):\s"), "the Manchester syntax of OWL"),
    (re.compile(r"\s*format-version:"), "OBO"),
    (re.compile(r"\s*(?:<!DOCTYPE html|<html)", re.IGNORECASE), "HTML"),
)
RDF_XML_NAMESPACE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
WANTED = "give the path of an RDF file"


def quads(path: Path, name: str | None = None) -> Iterator[Quad]:
    """
    Read the quads of an RDF file, which may be compressed with gzip.

    Args:
        path: The file.
        name: Its format; by default that of its extension, or of its content for `.owl` and `.xml`.
    Raises:
        UsageError: If it is not a file, or its format is unknown.
        StoreError: If it is not in its format, is empty, or takes more time or memory than any ordinary file of its
            size.
    """
    found = _named_format(path, name)
    with open_regular(path, WANTED) as file:
        packed = file.peek(2)[:2] == GZIP
        if path.suffix.casefold() == ".gz" and not packed and file.peek(1):
            raise StoreError(f"{named(path)}: not compressed with gzip; remove .gz from its name, or compress it")
        if not name:
            found = _by_content(path, _head(file, packed), found)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        yield from _from_child(path, file, found, packed)


# --- which format --------------------------------------------------------------------------


def says_format(path: Path) -> bool:
    """Return whether the extension of a file, before `.gz`, is that of a format that can be read."""
    return _extension(path) in EXTENSIONS_READ


def _extension(path: Path) -> str:
    stem = path.with_suffix("") if path.suffix.casefold() == ".gz" else path
    return stem.suffix.casefold().lstrip(".")


def _named_format(path: Path, name: str | None) -> Format:
    found = readable(name) if name else readable(_extension(path)) if says_format(path) else None
    if name and not found:
        raise UsageError(f"there is no file format {name!r}; give --format one of {', '.join(NAMES_READ)}")
    if not found:
        known = ", ".join(f".{each}" for each in EXTENSIONS_READ)
        extension = named(Path(_extension(path)))
        seen = f"the extension '.{extension}'" if _extension(path) else "its name has no extension and"
        raise UsageError(
            f"{named(path)}: {seen} is not of an RDF format; give one of {known}, each with or without .gz, or say the "
            f"format: --format {'|'.join(NAMES_READ)}"
        )
    return found


def _head(file: BufferedReader, packed: bool) -> str:
    raw = file.peek(HEAD)[:HEAD]
    with suppress(zlib.error):
        raw = zlib.decompressobj(wbits=31).decompress(raw, HEAD) if packed else raw
    encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return raw.decode(encoding, "replace")


def _by_content(path: Path, head: str, found: Format) -> Format:
    """Find the format of a file whose extension stands for several formats."""
    if found.name != "rdfxml" or not head.strip():
        return found
    for syntax, what in OTHER_SYNTAXES:
        if syntax.match(head):
            raise StoreError(f"{named(path)}: this is {what}, which is not read; save it as RDF/XML or Turtle")
    if _extension(path) == "owl" and not XML.match(head.lstrip()):
        turtle = by_name("turtle")
        assert turtle
        return turtle
    prologue = PROLOGUE.match(head)
    root = ROOT.match(head, prologue.end() if prologue else 0)
    if root and root.group(1) != "RDF" and RDF_XML_NAMESPACE not in head:
        owl = "http://www.w3.org/2002/07/owl#" in root.group()
        what = "OWL/XML" if owl else f"XML, but not RDF/XML: its root is <{root.group(1)}>"
        raise StoreError(f"{named(path)}: this is {what}; save it as RDF/XML or Turtle")
    return found


# --- the reading process -------------------------------------------------------------------


def _from_child(path: Path, file: BufferedReader, form: Format, packed: bool) -> Iterator[Quad]:
    limits = _limits(os.fstat(file.fileno()).st_size, packed)
    # -P: no modules from the current folder.
    command = [sys.executable, "-P", "-m", "eurasia_graph.load.sandbox", form.name, path.absolute().as_uri()]
    command += [str(limits[key]) for key in ("unpacked", "statements", "seconds", "memory")] + ["packed"] * packed
    with subprocess.Popen(  # noqa: S603  (ourselves)
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout and child.stderr
        count, broken = 0, False
        try:
            # Written by the engine a moment ago, so its IRIs need not be checked again.
            for quad in parse(child.stdout, format=RdfFormat.N_QUADS, lenient=True, rename_blank_nodes=True):
                count += 1
                yield quad
        except (SyntaxError, MemoryError):
            broken = True  # the child has ended in the middle of a line, or a term is too long
        except GeneratorExit:
            child.kill()
            raise
        child.stdout.close()
        said = child.stderr.read(HEAD).decode("utf-8", "replace").strip()
        status = child.wait()
    if status or broken:
        raise StoreError(f"{named(path)}{_reason(status, said, form, limits)}")
    if not count:
        raise StoreError(f"{named(path)}: the file contains no statements; {_what_is_missing(form)}")


def _limits(size: int, packed: bool) -> dict[str, int]:
    unpacked = FREE + size * UNPACKED_PER_BYTE if packed else size
    likely = size * LIKELY_UNPACKED_PER_BYTE if packed else size
    return {
        "unpacked": unpacked,
        "statements": FREE + size * (STATEMENTS_PER_PACKED_BYTE if packed else STATEMENTS_PER_BYTE),
        "seconds": SECONDS + likely // BYTES_PER_SECOND,
        "memory": MEMORY + likely * MEMORY_PER_BYTE,
    }


def _reason(status: int, said: str, form: Format, limits: dict[str, int]) -> str:
    """Return how the reading process ended, and what to do, after the location in the file if it is known."""
    with suppress(ValueError, LookupError, TypeError):
        told = json.loads(said.splitlines()[-1])
        return f"{told['place']}: {told['text']}"
    if status == -signal.SIGXCPU:
        return (
            f": reading it takes more than {limits['seconds']} seconds, which no file of its size should; "
            "is it nested very deeply? Convert it to N-Quads and give that"
        )
    if status == -signal.SIGKILL or "memory allocation" in said or "MemoryError" in said:
        return (
            f": reading it takes more than {limits['memory'] // MIB} MiB of memory, which no file of its size should; "
            "convert it to N-Quads and give that"
        )
    if status < 0:
        return f": it is nested too deeply to be read as {form.name} (the reader ended by signal {-status}); flatten it"
    return ": it contains a term of more than 16 MiB, which is the maximum; shorten it or remove it"


def _what_is_missing(form: Format) -> str:
    if form.name == "jsonld":
        return "JSON has statements only with a @context or with IRIs as keys; add one or convert the file"
    return "leave it out, or check that it is the right file"


class _TooMuchError(Exception):
    """The message says which, and what to do."""


def _refuse_bomb(file: IO[bytes], limit: int) -> None:
    """Decompress a file once without parsing it, which takes a moment where parsing would take minutes."""
    unpacked = gzip.GzipFile(fileobj=file)
    while raw := unpacked.read(MIB):
        limit -= len(raw)
        if limit < 0:
            raise _TooMuchError(f"it expands to more than {UNPACKED_PER_BYTE} times its size; decompress it first")
    file.seek(0)


class _Counted:
    """A byte sink with a size limit."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file = file
        self.left = limit

    def write(self, raw: bytes) -> int:
        self.left -= len(raw)
        if self.left < 0:
            raise _TooMuchError(
                f"its statements, written out, take more than {STATEMENTS_PER_BYTE} times its size; "
                "convert it to N-Quads and give that"
            )
        return self.file.write(raw)

    def flush(self) -> None:
        self.file.flush()


def _plain(found: Iterator[Quad], form: Format) -> Iterator[Quad]:
    """Refuse what cannot be written as N-Quads, or cannot be stored."""
    for quad in found:
        if form.name == "n3" and not isinstance(quad.graph_name, DefaultGraph):
            raise _TooMuchError("a formula in braces is quoted, not asserted, and is not read; remove such statements")
        term: Any = quad.object
        depth = 0
        while isinstance(term, Triple):
            term, depth = term.object, depth + 1
            if depth > DEEPEST_TRIPLE_TERM:
                raise _TooMuchError(
                    f"triple terms are nested more than {DEEPEST_TRIPLE_TERM} levels deep; flatten them"
                )
        yield quad


def child(words: list[str]) -> None:
    """Read standard input as a file of some format and write its N-Quads; a failure goes to stderr as JSON."""
    form = readable(words[0])
    assert form
    base = words[1]
    unpacked, statements, seconds, memory = map(int, words[2:6])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    source = cast("BufferedReader", sys.stdin.buffer)
    try:
        if words[6:]:
            _refuse_bomb(source, unpacked)
            source = BufferedReader(gzip.GzipFile(fileobj=source), MIB)
        if source.peek(3)[:3] == BOM_UTF8:
            source.read(3)
        found = parse(source, format=form.rdf, base_iri=base)
        serialize(_plain(found, form), cast("IO[bytes]", _Counted(sys.stdout.buffer, statements)), RdfFormat.N_QUADS)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.exit(1)
    except MemoryError as error:
        # The engine's own says how long a term may be; that of the system says nothing.
        _fail("" if "buffer" in str(error) else None)
    except SyntaxError as error:
        _fail(f":{error.lineno}:{error.offset}" if error.lineno else "", _syntax(form, error))
    except (_TooMuchError, OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError) as error:
        _fail("", str(error) if isinstance(error, _TooMuchError) else _io(error))


def _fail(place: str | None, text: str | None = None) -> None:
    if place is None:
        sys.stderr.write("MemoryError")
    elif text:
        sys.stderr.write(json.dumps({"place": place, "text": text[:2000]}))
    sys.stderr.flush()
    sys.exit(1)


def _syntax(form: Format, error: SyntaxError) -> str:
    if "LoadDocumentCallback" in error.msg:
        return (
            "its @context is at another address, and nothing that a file refers to is fetched; "
            "write the context into the file, or convert the file to N-Quads and give that"
        )
    if "cannot decode input" in error.msg:
        return f"this is not {form.name}: {error.msg}; save it as UTF-8, or convert it to N-Quads and give that"
    return f"this is not {form.name}: {error.msg}; correct the file, or say with --format what it is"


def _io(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return f"it cannot be decompressed or read: {reason}; download or compress it again"


if __name__ == "__main__":
    child(sys.argv[1:])
