"""
Check whether a Host header is a valid host name.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any

# Underscores are not allowed in DNS host names, but occur in the names of containers.
NAME = re.compile(
    r"(?=.{1,253}(?::|\Z))[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?(?::(?P<port>\d{0,5}))?", re.ASCII
)
SIX = re.compile(r"\[(?P<address>[0-9A-Fa-f:.]{2,45})\](?::(?P<port>\d{0,5}))?", re.ASCII)
LAST_IS_NUMBER = re.compile(r"(?:.*\.)?[0-9]+")
LAST_PORT = 65_535
LONGEST = 262


def is_host(environ: dict[str, Any]) -> bool:
    """Return whether the request has a Host header as its version of HTTP requires; HTTP/1.0 requires none."""
    host = environ.get("HTTP_HOST") or ""
    if not host:
        return environ.get("SERVER_PROTOCOL") in {"HTTP/1", "HTTP/1.0"}
    return len(host) <= LONGEST and _is_one(host)


@lru_cache(maxsize=256)
def _is_one(host: str) -> bool:
    six = SIX.fullmatch(host)
    found = six or NAME.fullmatch(host)
    if not found or int(found["port"] or 0) > LAST_PORT:
        return False
    name = host.partition(":")[0].removesuffix(".")
    try:
        if six:
            ipaddress.IPv6Address(six["address"])
        elif LAST_IS_NUMBER.fullmatch(name):
            ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
