"""What a URL of a list means, as strictly as it can be read: two readers that disagree about a host are how guards are passed by."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from degrade.errors import BadSample, Reason

MAX_LENGTH = 8192  # characters
PORTS = {"https": 443, "http": 80}
LEAST_OTHER_PORT = 1024  # below it, ports belong to other services than the web
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")
_V6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")
_KEPT = "%/:=&?~#+!$,;'@()*[]"  # that a path may hold as they are


class Target(NamedTuple):
    """One address on the web."""

    scheme: str
    host: str  # lower case, ASCII; IPv6 without brackets
    port: int
    path: str  # with the query, percent-encoded, begins with /

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address, in its plain form."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse(url: str, *, http: bool = False) -> Target:
    """Return what a URL asks for.

    Args:
        url: as it was written.
        http: whether unprotected http is followed.

    Raises:
        BadSample: URL_REFUSED, and says why.
    """
    text = url.strip()
    if len(text) > MAX_LENGTH or not text.isprintable() or "\\" in text:
        raise BadSample(Reason.URL_REFUSED, "too long, or holds characters that no URL has")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadSample(Reason.URL_REFUSED, str(error)) from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS or (scheme == "http" and not http):
        raise BadSample(Reason.URL_REFUSED, f"`{scheme[:20]}:` is not followed{', only https is' if scheme == 'http' else ''}")
    if "@" in parts.netloc:
        raise BadSample(Reason.URL_REFUSED, "credentials before the host")
    if port is None:
        port = PORTS[scheme]
    elif port < LEAST_OTHER_PORT and port not in PORTS.values():
        raise BadSample(Reason.URL_REFUSED, f"port {port} is not one of the web's")
    path = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    return Target(scheme, _host(parts.netloc, parts.hostname or ""), port, path)


def _host(authority: str, host: str) -> str:
    """Return a host in ASCII: wide digits and dots are narrow here before anyone looks for numbers."""
    if authority.startswith("["):
        if not _V6.fullmatch(host):
            raise BadSample(Reason.URL_REFUSED, "brackets without an IPv6 address")
        return host
    try:
        ascii_host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_host = ""
    if not _HOST.fullmatch(ascii_host):
        raise BadSample(Reason.URL_REFUSED, "no host, or one that no name server knows")
    return ascii_host


def follow(target: Target, location: str, *, http: bool = False) -> Target:
    """Return where a redirect leads; raises BadSample as `parse` does.

    Args:
        target: the address that answered.
        location: its `Location` header, whose bytes came as Latin-1 but are UTF-8 where they are not ASCII.
        http: whether unprotected http is followed.
    """
    told = location.strip().encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return parse(urljoin(target.url, told), http=http)
    except ValueError as error:
        raise BadSample(Reason.URL_REFUSED, str(error)) from error
