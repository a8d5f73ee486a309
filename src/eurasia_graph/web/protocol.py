"""
Read a request by the SPARQL 1.1 Protocol, query side, and reject anything but a single query.

Source: https://www.w3.org/TR/sparql11-protocol/; the method QUERY is that of the HTTP working group.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin

from flask import Request
from pyoxigraph import NamedNode
from werkzeug.exceptions import BadRequest, Forbidden, UnsupportedMediaType

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql.refusals import EMPTY, READ_ONLY

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"
MOST_GRAPHS = 1000
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    A parsed request: the query (None if there is none), its graphs, its timeout in seconds, its formats.

    `default` and `named` are absolute IRIs; if both are empty, the query's own FROM clauses count.
    """

    query: str | None
    default: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    timeout_s: float | None = None
    formats: list[str] = field(default_factory=list)


def read(request: Request, longest: int, base: str) -> Operation:
    """
    Read a request.

    Args:
        request: GET, POST or QUERY.
        longest: The longest query allowed, in characters.
        base: The IRI against which relative graph names are resolved.
    Raises:
        BadRequest, Forbidden, UnsupportedMediaType: With the status that the protocol requires.
        QueryError: If the query is too long (413).
    """
    fields = _pairs(request.query_string)
    body = _body(request, fields)
    names = [name for name, _ in fields]
    if "update" in names:
        if request.method == "GET":
            raise BadRequest(f"an update cannot be sent in the URL of a GET; {READ_ONLY}")
        raise (
            BadRequest("there is a query and an update; send one query") if "query" in names else Forbidden(READ_ONLY)
        )
    queries = [value for name, value in fields if name == "query"] + body
    if len(queries) > 1:
        raise BadRequest(f"the request has {len(queries)} queries; send one")
    if queries and not queries[0].strip():
        raise BadRequest(EMPTY)
    if queries and len(queries[0]) > longest:
        raise QueryError(
            f"the query has {len(queries[0])} characters, more than the {longest} allowed; split it", status=413
        )
    return Operation(
        query=queries[0] if queries else None,
        default=_graphs(fields, "default-graph-uri", base),
        named=_graphs(fields, "named-graph-uri", base),
        timeout_s=_timeout(fields),
        formats=[value for name, value in fields if name in {"format", "output", "results"}],
    )


def _body(request: Request, fields: list[tuple[str, str]]) -> list[str]:
    """Read the body: a form adds to the fields of the URL, a query is returned."""
    if request.method not in {"POST", "QUERY"}:
        return []
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype not in {FORM, QUERY, UPDATE}:
        raise UnsupportedMediaType(f"send {QUERY} or {FORM}, not {request.mimetype or 'a body without a type'}")
    if charset.casefold() not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType(f"the charset of a query has to be UTF-8, not {charset}; encode it as UTF-8")
    if request.mimetype == UPDATE:
        raise Forbidden(READ_ONLY)
    # Kept, since the ETag depends on it as well.
    body = request.get_data(cache=True)
    if request.mimetype == FORM:
        fields.extend(_pairs(body))
        return []
    try:
        return [body.decode("utf-8")]
    except UnicodeDecodeError:
        raise UnsupportedMediaType("the query is not UTF-8; encode it as UTF-8") from None


def _pairs(text: bytes) -> list[tuple[str, str]]:
    """Decode the fields of a URL or of a form, once, and strictly."""
    try:
        # Some servers pass on bytes that a client should have percent-encoded.
        return parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_GRAPHS)
    except UnicodeDecodeError:
        raise BadRequest("a parameter is not UTF-8; percent-encode its UTF-8 bytes") from None
    except ValueError:
        raise BadRequest(f"the request has more than {MOST_GRAPHS} parameters; send fewer") from None


def _graphs(fields: list[tuple[str, str]], key: str, base: str) -> list[str]:
    # Some clients send an empty field.
    return [graph_name(value, base, key) for name, value in fields if name == key and value.strip()]


def graph_name(value: str, base: str, key: str) -> str:
    """
    Return the IRI in a parameter; an absolute one is returned unchanged.

    Raises:
        BadRequest: If it is not an IRI.
    """
    try:
        return NamedNode(value if SCHEME.match(value) else urljoin(base, value)).value
    except ValueError:
        raise BadRequest(f"{key} {value!r} is not an IRI; give the name of a graph") from None


def _timeout(fields: list[tuple[str, str]]) -> float | None:
    """Read the timeout that the client asks for, in seconds."""
    given = next((value for name, value in fields if name == "timeout" and value.strip()), None)
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise BadRequest(f"timeout {given!r} is not a positive number of seconds; give for instance timeout=2.5")
    return seconds
