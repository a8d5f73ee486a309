"""
The outermost middleware: a cache of whole answers, conditional requests, gzip, HEAD, the access log.

A release does not change while it is served, so a cached answer stays valid. Nine tenths of the time of such
an answer would go into the framework, which a cache hit never reaches.
"""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.http import parse_accept_header, parse_etags

from eurasia_graph.errors import QueryError
from eurasia_graph.web import log
from eurasia_graph.web.bodies import RETRY_S, Bodies
from eurasia_graph.web.hosts import is_host
from eurasia_graph.web.metrics import Metrics
from eurasia_graph.web.sending import LARGEST_WHOLE, Sending

Environ = dict[str, Any]
Key = tuple[object, ...]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

LARGEST_KEPT_BODY = 64_000
# The largest cache key in bytes; most of a key is sent by the client.
LARGEST_KEY = 70_000
# The longest single header that is read here; the server limits their total size.
LARGEST_HEADER = 8_000
LOOKED_AT = ("HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "CONTENT_TYPE")
# Replaces the Host of a request, so that no answer depends on what a client sends there.
NO_HOST = "localhost"
# Only a few possibly large answers are made at a time: a hundred at once would not be faster and would use all memory.
LARGE = re.compile(r"/(?:export|store|graph|data|page|ontology|\.well-known)\b")
MADE_AT_A_TIME = 4
# A request that waits for its turn holds a thread, so the number and the time are limited.
MOST_WAITING = 128
TURN_S = 10.0
# The error of a request that is refused here and answered by the application.
REFUSED = "eurasia_graph.refused"
SMALLEST_GZIP = 500
# Favours speed over size: a megabyte takes 6 ms.
GZIP_LEVEL = 5
COMPRESSIBLE = ("text/", "application/json", "application/sparql", "application/ld", "application/rdf")
COMPRESSIBLE_TYPES = ("application/n-triples", "application/n-quads", "application/trig", "application/problem")
# The headers of a 200 that its 304 keeps. Source: RFC 9110, 15.4.5
OF_304 = {"cache-control", "content-location", "etag", "vary", "date", "expires", "link", "access-control-allow-origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer; `count` increments the counter of its kind of request."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    etag: str | None
    count: Callable[[], None]

    @property
    def size(self) -> int:
        """The approximate number of bytes that it takes in the cache."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + 500


class AnswerCache:
    """
    A WSGI middleware that caches answers.

    Only answers with status 200 and an ETag are cached; the least recently used are evicted first.
    """

    def __init__(
        self, app: WSGI, metrics: Metrics, base_url: str | None, cache_bytes: int, access_log: bool = False
    ) -> None:
        """
        Wrap an application.

        Args:
            app: Makes the answers.
            metrics: Where hits and requests are counted.
            base_url: The public address; a proxy may keep its path in front of every path or cut it off.
            cache_bytes: The size of the cache; 0 caches nothing.
            access_log: Whether every request is logged.
        """
        self.app = app
        self._metrics = metrics
        self._public = urlsplit(base_url.rstrip("/")) if base_url else None
        self._most = cache_bytes
        self._access_log = access_log
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._bytes = 0
        self.bodies = Bodies()
        self.sending = Sending()
        self._admission = threading.Semaphore(MOST_WAITING)
        self._turns = threading.Semaphore(MADE_AT_A_TIME)
        # For additions; a look-up needs no lock.
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, from the cache if possible."""
        start = time.perf_counter() if self._access_log else 0.0
        method = environ["REQUEST_METHOD"]
        try:
            _refuse_headers(environ)
            self.bodies.take(environ)
        except QueryError as error:
            environ[REFUSED] = error
        self._place(environ)
        key = self._key(environ, method)
        answer = self._kept.get(key) if key else None
        if answer is None:
            answer = self._make(environ, method, key)
        else:
            assert key
            self._metrics.hit()
            # Another thread may just have evicted it.
            with suppress(KeyError):
                self._kept.move_to_end(key)
        if len(answer.body) > LARGEST_WHOLE and method != "HEAD" and not self.sending.has_room:
            environ[REFUSED] = _full()
            answer = self._ask(environ, method, None)
        if answer.etag and "HTTP_IF_NONE_MATCH" in environ and method in {"GET", "HEAD"}:
            answer = _unless_known(answer, environ["HTTP_IF_NONE_MATCH"])
        answer.count()
        if self._access_log:
            ms = round((time.perf_counter() - start) * 1000, 2)
            log.write(
                "request",
                method=method,
                # WSGI passes bytes decoded as Latin-1.
                path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
                status=int(answer.status[:3]),
                bytes=len(answer.body),
                ms=ms,
            )
        # The unread rest of the body would be taken for the next request.
        last = [("Connection", "close")] if REFUSED in environ else []
        start_response(answer.status, answer.headers + last)
        return [b""] if method == "HEAD" else self.sending.parts(answer.body)

    def _key(self, environ: Environ, method: str) -> Key | None:
        """Return everything that an answer depends on, or None if it is not cached."""
        if not self._most or REFUSED in environ:
            return None
        get = environ.get
        body = None
        if method in {"POST", "QUERY"}:
            body = self._body(environ)
            if body is None:
                return None
        elif method not in {"GET", "HEAD"}:
            return None
        return (
            "GET" if body is None else method,
            environ["PATH_INFO"],
            get("QUERY_STRING"),
            get("HTTP_ACCEPT"),
            get("HTTP_ACCEPT_ENCODING"),
            None if body is None else get("CONTENT_TYPE"),
            body,
        )

    def _body(self, environ: Environ) -> bytes | None:
        """Read a short body and put it back."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        if not 0 < size <= LARGEST_KEPT_BODY:
            return None
        body: bytes = environ["wsgi.input"].read(size)
        environ["wsgi.input"].seek(0)
        return body

    def _make(self, environ: Environ, method: str, key: Key | None) -> Answer:
        """Make an answer; a possibly large one waits for its turn, by when another thread may have made it."""
        if REFUSED in environ or not LARGE.match(environ["PATH_INFO"]):
            return self._ask(environ, method, key)
        if not self._admission.acquire(blocking=False):
            environ[REFUSED] = _full()
            return self._ask(environ, method, None)
        try:
            if not self._turns.acquire(timeout=TURN_S):
                environ[REFUSED] = _full()
                return self._ask(environ, method, None)
            try:
                return (self._kept.get(key) if key else None) or self._ask(environ, method, key)
            finally:
                self._turns.release()
        finally:
            self._admission.release()

    def _ask(self, environ: Environ, method: str, key: Key | None) -> Answer:
        """Let the application answer, and cache the answer if it may be."""
        seen: list[Any] = []

        def take(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[[bytes], None]:
            seen[:] = [status, headers]
            return lambda _part: None

        if method == "HEAD":
            # Made as for GET, so that the headers are the same.
            environ["REQUEST_METHOD"] = "GET"
        parts = self.app(environ, take)
        try:
            body = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close:
                close()
        count = self._metrics.counter(environ["PATH_INFO"], int(seen[0][:3]))
        answer = _compressed(seen[0], Headers(seen[1]), body, environ, count)
        if key and answer.etag and answer.status.startswith("200"):
            self._metrics.miss()
            self._keep(key, answer)
        return answer

    def _keep(self, key: Key, answer: Answer) -> None:
        weight = _weight(key)
        size = answer.size + weight
        with self._lock:
            if size > self._most // 4 or weight > LARGEST_KEY or key in self._kept:
                return
            self._kept[key] = answer
            self._bytes += size
            while self._bytes > self._most:
                old, thrown = self._kept.popitem(last=False)
                self._bytes -= thrown.size + _weight(old)

    def _place(self, environ: Environ) -> None:
        """Set the public address that the application sees, whether or not a proxy has removed the path."""
        if not self._public:
            environ["HTTP_HOST"] = NO_HOST
            return
        prefix = self._public.path
        path = environ["PATH_INFO"]
        environ["SCRIPT_NAME"] = prefix
        environ["wsgi.url_scheme"] = self._public.scheme
        environ["HTTP_HOST"] = self._public.netloc
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            environ["PATH_INFO"] = path[len(prefix) :] or "/"


def _full() -> QueryError:
    return QueryError(
        f"too many large answers are being made or sent; wait {RETRY_S} seconds and send the request again",
        status=503,
        details={"reason": "busy", "retryAfter": RETRY_S},
    )


def _refuse_headers(environ: Environ) -> None:
    """Refuse an invalid Host, and headers that would take long to parse or much memory to cache."""
    if not is_host(environ):
        raise QueryError("the Host header is not a host name; send one such as Host: example.org", status=400)
    for name in LOOKED_AT:
        if len(environ.get(name) or "") > LARGEST_HEADER:
            del environ[name]
            header = name.removeprefix("HTTP_").replace("_", "-").title()
            raise QueryError(f"the header {header} has more than {LARGEST_HEADER} characters; shorten it", status=431)


def _weight(key: Key) -> int:
    """Return the approximate size of a cache key in bytes; WSGI strings take one byte per character."""
    return sum(len(part) + 60 for part in key if isinstance(part, (str, bytes)))


def _compressed(status: str, headers: Headers, body: bytes, environ: Environ, count: Callable[[], None]) -> Answer:
    """Compress a body if the client accepts it and it is large enough."""
    kind = headers.get("Content-Type", "")
    if kind.startswith(COMPRESSIBLE) or kind.startswith(COMPRESSIBLE_TYPES):
        _add_vary(headers, "Accept-Encoding")
        if len(body) >= SMALLEST_GZIP and _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING")):
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
            if "ETag" in headers:
                headers["ETag"] = headers["ETag"].rstrip('"') + '-gzip"'
    if not status.startswith(("204", "304")):
        headers["Content-Length"] = str(len(body))
    return Answer(status=status, headers=list(headers), body=body, etag=headers.get("ETag"), count=count)


def _add_vary(headers: Headers, name: str) -> None:
    names = [each.strip() for each in headers.get("Vary", "").split(",") if each.strip()]
    if name not in names:
        headers["Vary"] = ", ".join([*names, name])


def _takes_gzip(header: str | None) -> bool:
    return bool(header) and parse_accept_header(header)["gzip"] > 0


def _unless_known(answer: Answer, known: str) -> Answer:
    """Turn an answer into 304 if the client already has it."""
    assert answer.etag
    if not parse_etags(known).contains_weak(answer.etag.removeprefix("W/").strip('"')):
        return answer
    kept = [(name, value) for name, value in answer.headers if name.lower() in OF_304 or name.startswith("X-")]
    return Answer(status="304 NOT MODIFIED", headers=kept, body=b"", etag=answer.etag, count=answer.count)
