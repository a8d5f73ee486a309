"""
HTTP client for other stores: one pool of connections, credentials, time limits, retries and clear errors.

An answer is read in pieces, up to a limit of bytes and time for the whole answer.
Certificates are checked, redirects are not followed (they could carry credentials elsewhere), and no
error or log contains a password.
"""

from __future__ import annotations

import io
import netrc
import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlencode

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import parse_url

from eurasia_graph.errors import AnswerTooLargeError, QueryError, RemoteError, UsageError
from eurasia_graph.stores.deadline import Watch, watched_pools

CONNECT_TIMEOUT_S = 10.0
# Loading a batch or sorting a large answer takes a store a while; queries have their own limit.
READ_TIMEOUT_S = 300.0
# More than the number of concurrent free-form queries, so that pages need not wait for them.
CONNECTIONS = 16
BLOCK = 1 << 16
# How much is read of an error answer.
LONGEST_COMPLAINT = 1 << 16
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
LONGEST_PAUSE_S = 30.0
BUSY = {429, 503}
LONGEST_REASON = 300
# What stores report if the disk is full; the second comes from Java, for a memory-mapped file.
FULL_DISK = ("No space left on device", "a fault occurred in a recent unsafe memory access operation")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password that is never shown."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Hide both."""
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer: status, headers (case-insensitive) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def split_address(address: str, user: str | None = None, password: str | None = None) -> tuple[str, Credentials | None]:
    """
    Split the address of a store into the address itself and the credentials.

    Args:
        address: http or https; a name and password in it are taken out.
        user: Takes precedence over the address, then EURASIA_GRAPH_USER, then netrc.
        password: As `user`; EURASIA_GRAPH_PASSWORD.
    Raises:
        UsageError: If it is not an HTTP address, or a name comes without a password.
    """
    try:
        parsed = parse_url(address)
    except LocationParseError:
        raise UsageError(_no_address("what was given")) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise UsageError(_no_address(repr(parsed._replace(auth=None).url)))
    clean = parsed._replace(auth=None).url.rstrip("/")
    in_address = (parsed.auth or "").partition(":")
    name = user or unquote(in_address[0]) or os.environ.get("EURASIA_GRAPH_USER")
    if not name:
        return clean, _from_netrc(parsed.host)
    secret = password or unquote(in_address[2]) or os.environ.get("EURASIA_GRAPH_PASSWORD")
    known = _from_netrc(parsed.host) if not secret else None
    if known and known.user == name:
        return clean, known
    if not secret:
        raise UsageError(f"no password was given for {name}; set EURASIA_GRAPH_PASSWORD, or write it into ~/.netrc")
    return clean, Credentials(name, secret)


def _no_address(seen: str) -> str:
    return f"{seen} is not a valid store address; give one such as http://127.0.0.1:3030/eurasia"


def _from_netrc(host: str) -> Credentials | None:
    try:
        found = netrc.netrc(os.environ.get("NETRC")).authenticators(host.strip("[]"))
    except (OSError, netrc.NetrcParseError):
        return None
    return Credentials(found[0], found[2] or "") if found and found[0] else None


class Transport:
    """
    A store that answers HTTP at one host.

    `notice` is called with a line, without credentials, for every retry.
    """

    def __init__(
        self, credentials: Credentials | None = None, notice: Callable[[str], None] = lambda _text: None
    ) -> None:
        """Open no connection yet."""
        self.credentials = credentials
        self.notice = notice
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, block=True, retries=False)
        self._pool.pool_classes_by_scheme = watched_pools()
        self._challenge: str | None = None
        self._signing = threading.Lock()  # signatures are numbered
        # The library's own, so that we do not compute digests ourselves.
        self._passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        self._digest = urllib.request.AbstractDigestAuthHandler(self._passwords)

    def send(  # noqa: PLR0913  (one for each part of a request)
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        form: list[tuple[str, str]] | None = None,
        timeout_s: float | None = None,
        most_bytes: int | None = None,
        pauses_s: tuple[float, ...] = (),
    ) -> Response:
        """
        Send a request and return its answer, whatever the status says.

        Args:
            method: Such as `PUT`.
            url: Without credentials.
            body: The complete body, so that it can be sent again.
            headers: Additional headers.
            form: Sent as the body, percent-encoded.
            timeout_s: How long to wait for the whole answer, in seconds; without it READ_TIMEOUT_S for each piece.
            most_bytes: The maximum number of bytes to read.
            pauses_s: How long to wait before each retry if the store is busy or the connection breaks; none to try
                once. Only for requests that may be repeated.
        Raises:
            RemoteError: If there is no answer.
            AnswerTooLargeError: If there are more bytes.
        """
        all_headers = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        for pause_s in (*pauses_s, None):
            try:
                response = self._authorised(method, url, body, all_headers, Limit.of(timeout_s, most_bytes))
            except RemoteError as error:
                if pause_s is None or not error.passing:
                    raise
                wait_s, why = pause_s, str(error)
            else:
                if response.status not in BUSY or pause_s is None:
                    return response
                wait_s, why = _asked_pause(response, pause_s), f"{_host(url)} is busy ({response.status})"
            self.notice(f"{why}; retrying in {wait_s:g} s")
            time.sleep(wait_s)
        raise AssertionError

    def _authorised(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: Limit
    ) -> Response:
        """Send a request; authenticate if the store asks for it, and from then on always."""
        response = self._once(method, url, body, {**headers, **self._login(method, url)}, limit)
        challenge = response.headers.get("WWW-Authenticate")
        if response.status == 401 and self.credentials and challenge:  # noqa: PLR2004
            self._challenge = challenge
            response = self._once(method, url, body, {**headers, **self._login(method, url)}, limit)
        return response

    def _login(self, method: str, url: str) -> dict[str, str]:
        if not self.credentials or not self._challenge:
            return {}
        user, password = self.credentials.user, self.credentials.password
        scheme, _, rest = self._challenge.partition(" ")
        if scheme.casefold() != "digest":
            return urllib3.make_headers(basic_auth=f"{user}:{password}")
        self._passwords.add_password(None, url, user, password)
        asked = urllib.request.Request(url, method=method)  # noqa: S310  (never opened; it names what is signed)
        challenge = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
        with self._signing:
            signed = self._digest.get_authorization(asked, challenge)
        return {"Authorization": f"Digest {signed}"} if signed else {}

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: Limit) -> Response:
        # Read in blocks, each with its own time limit: a body sent at once would have to arrive within
        # the time that a connection may take.
        sent = io.BytesIO(body) if body else None
        length = {"Content-Length": str(len(body))} if body else {}
        left = limit.left()
        with Watch(limit.end) as watch:
            try:
                answer = self._pool.request(
                    method,
                    url,
                    body=sent,
                    headers={"User-Agent": "eurasia-graph", **length, **headers},
                    timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, left), read=left),
                    pool_timeout=left,
                    redirect=False,
                    preload_content=False,
                )
                found = _read(answer, url, limit)
            except HTTPError as error:
                if watch.has_ended:
                    raise _too_slow(url, limit) from None
                raise _told(url, error, limit) from None
        if watch.has_ended:
            # A closed connection looks like the end of an answer without a length.
            raise _too_slow(url, limit)
        return found


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of an answer: `seconds` until `end` (monotonic clock), and bytes; None for no limit."""

    seconds: float
    end: float | None
    most_bytes: int | None

    @classmethod
    def of(cls, timeout_s: float | None, most_bytes: int | None) -> Limit:
        """Begin now."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        return cls(READ_TIMEOUT_S if timeout_s is None else timeout_s, end, most_bytes)

    def left(self) -> float:
        """Return the seconds that are left, always more than 0."""
        return self.seconds if self.end is None else max(0.001, self.end - time.monotonic())


def _read(answer: urllib3.BaseHTTPResponse, url: str, limit: Limit) -> Response:
    """Read an answer piece by piece, up to its limit; compressed data counts by its decompressed size."""
    good = answer.status < 300  # noqa: PLR2004
    most = limit.most_bytes if good else LONGEST_COMPLAINT
    parts, size = [], 0
    while part := answer.read(BLOCK):
        size += len(part)
        if most is not None and size > most:
            # The rest is still being sent, so the connection cannot be reused.
            answer.close()
            if good:
                raise AnswerTooLargeError(f"{_host(url)} sent more than {most} bytes; ask for less")
            break
        parts.append(part)
    answer.release_conn()
    return Response(answer.status, answer.headers, b"".join(parts))


def _too_slow(url: str, limit: Limit) -> RemoteError:
    return RemoteError(
        f"{_host(url)} has not answered within {limit.seconds:g} s; ask for less, or try later", status=504
    )


def _asked_pause(response: Response, pause_s: float) -> float:
    """Wait as long as the store asks for, in seconds or until a date, within limits."""
    asked = response.headers.get("Retry-After", "")
    wait_s = float(asked) if asked.isdigit() else pause_s
    with suppress(ValueError, TypeError):
        wait_s = wait_s if asked.isdigit() else (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
    return round(min(max(pause_s, wait_s), LONGEST_PAUSE_S), 1)


def _host(url: str) -> str:
    return parse_url(url).netloc or url


def _told(url: str, error: HTTPError, limit: Limit) -> RemoteError:
    """Describe why there is no answer."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    host = _host(url)
    if isinstance(cause, NameResolutionError):
        return RemoteError(f"the name of {host} does not resolve; check the address of the store")
    if isinstance(cause, (ReadTimeoutError, EmptyPoolError)):
        return _too_slow(url, limit)
    if isinstance(cause, SSLError):
        refused = any(isinstance(each, ssl.SSLCertVerificationError) for each in cause.args)
        untrusted = f"the certificate of {host} is not trusted; SSL_CERT_FILE names further authorities"
        return RemoteError(
            untrusted if refused else f"{host} does not speak TLS; check whether it is http: and not https:"
        )
    if isinstance(cause, NewConnectionError):
        return RemoteError(f"nothing answers at {host}; check that the store is running", passing=True)
    if isinstance(cause, ConnectTimeoutError):
        return RemoteError(f"{host} accepted no connection within {CONNECT_TIMEOUT_S:g} s", status=504, passing=True)
    return RemoteError(f"the connection to {host} broke; check that the store is running", passing=True)


def reason(response: Response) -> str:
    """Return the first lines of what a store says about a failure, within one line."""
    text = " ".join(response.body.decode("utf-8", errors="replace").split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def expect_success(response: Response, url: str, doing: str) -> Response:
    """
    Return an answer if it is successful.

    Args:
        response: Any.
        url: Where it came from.
        doing: What was asked, for the message: `write the graph claims-icds-2016`.
    Raises:
        QueryError: If the store rejects the request (400).
        RemoteError: If it refuses or fails; says what it answered and what to do.
    """
    status, host = response.status, _host(url)
    if 200 <= status < 300:  # noqa: PLR2004
        return response
    said = f"; it says: {reason(response)}" if reason(response) else ""
    if any(sign in said for sign in FULL_DISK):
        said += "; its disk seems to be full: free some space, and restart it if the error persists"
    if status == 400:  # noqa: PLR2004
        raise QueryError(f"{host} cannot {doing}{said}")
    advice = {
        401: "the name or the password is wrong or missing; give --user and EURASIA_GRAPH_PASSWORD, or ~/.netrc",
        403: "this user has no permission; ask for it",
        404: "this address does not exist; check the address and --kind",
        405: "this address does not support the request; check the address and --kind",
        413: "it is too large for the store; raise the store's request limit",
        507: "its disk is full; free some space",
    }.get(status, f"it redirects to {response.headers.get('Location')}; use that" if 300 <= status < 400 else "")  # noqa: PLR2004
    shown = f": {advice}" if advice else said
    timed_out = status in {408, 504}
    message = f"{host} answers {status} when asked to {doing}{shown}"
    raise RemoteError(message, status=504 if timed_out else 502, answered=status)
