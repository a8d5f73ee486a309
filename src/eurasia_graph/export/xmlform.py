"""
Refuse RDF/XML and result files that no XML parser would accept.

The engine writes a property without a local name as `<oxprefix:>`, and control characters unchanged. So its output is
parsed again by an XML parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from xml.parsers import expat

from pyoxigraph import QueryResultsFormat, RdfFormat

from eurasia_graph.errors import EurasiaGraphError

OF_XML = {RdfFormat.RDF_XML, QueryResultsFormat.XML}
# Source: Char in https://www.w3.org/TR/xml/#charsets
NOT_CHARACTERS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
# How the engine writes a property or a class whose IRI does not end in a name.
NAMELESS = re.compile(rb'<oxprefix:[^<>"]*xmlns:oxprefix="([^"]*)"')
LONGEST_SHOWN = 200
WAY_OUT = "ask for another format, such as turtle"


class XmlError(EurasiaGraphError):
    """Something cannot be written as XML; the message says what, and what to do."""


class Checked:
    """A file that passes on what is written to it and parses it as XML; call `finish` at the end."""

    def __init__(self, out: IO[bytes]) -> None:
        """Hand on to another file."""
        self._out = out
        self._parser = _parser()

    def write(self, content: bytes) -> int:
        """
        Write a part.

        Raises:
            XmlError: If it cannot stand where it stands.
        """
        content = bytes(content)
        _read(self._parser, content, content, is_last=False)
        self._out.write(content)
        return len(content)

    def flush(self) -> None:
        """Hand on to the other file."""
        self._out.flush()

    def finish(self) -> None:
        """
        Tell that nothing follows.

        Raises:
            XmlError: If something is missing.
        """
        _read(self._parser, b"", b"", is_last=True)


def check(body: bytes, engine: RdfFormat | QueryResultsFormat) -> bytes:
    """
    Return a body as it is, if it is of no XML format or if a parser of XML reads it.

    Raises:
        XmlError: If no parser would.
    """
    if engine in OF_XML and body:
        _read(_parser(), body, body, is_last=True)
    return body


@contextmanager
def told() -> Iterator[None]:
    """
    Tell of what the engine itself refuses to write as RDF/XML, such as the property rdf:li, as of any other.

    Raises:
        XmlError: Instead of its error, which is that of a file without a number.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise XmlError(f"{reason(b'', str(error))}; {WAY_OUT}") from None


def reason(text: bytes, said: str) -> str:
    """
    Say what XML cannot hold.

    Args:
        text: What was written, around the fault.
        said: By the parser or the writer.
    """
    if NOT_CHARACTERS.search(text):
        return "a text contains a control character, which XML does not allow"
    nameless = NAMELESS.search(text)
    if nameless:
        iri = nameless.group(1)[:LONGEST_SHOWN].decode("utf-8", "replace")
        return f"RDF/XML cannot express <{iri}>: a property or class must end in an XML name"
    return f"XML cannot express part of this ({said})"


def _parser() -> expat.XMLParserType:
    return expat.ParserCreate(namespace_separator=" ")


def _read(parser: expat.XMLParserType, part: bytes, around: bytes, *, is_last: bool) -> None:
    try:
        parser.Parse(part, is_last)
    except expat.ExpatError as error:
        raise XmlError(f"{reason(around, expat.ErrorString(error.code))}; {WAY_OUT}") from None
