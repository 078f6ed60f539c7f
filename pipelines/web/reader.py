"""One URL becomes the bytes of one photo, another URL, or a reason; nothing that a list or a server says makes it do more than that.

A redirect is not followed here: where it leads is asked in its own turn (`turns`), as politely as any site. Every hop is checked
anew: the address that it means (`urls`), where that leads (`addresses`), who answers (TLS), whether the author allows it
(`optout`), what it is and how much (here). No cookies, no credentials, no proxies, no compression, and no
second chance for a name: the connection goes to the address that was checked.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ssl
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

from degrade.errors import BadSample, Reason, RecipeError
from filters.vlm.timed import Deadline
from pipelines.photos.formats import signature
from pipelines.web import addresses, optout, urls
from pipelines.web.urls import Target
from pipelines.web.wire import Line, connected

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # that may answer otherwise later
UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-octet-stream"})  # servers that do not know either
OF_NOTE = ("content-type", "last-modified", "etag", "link", *sorted({"x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage"}))
_HEAD = 1 << 20  # bytes of headers, on top of what a photo may have
_BLOCK = 1 << 16
_LONGEST = 300  # characters of what a stranger says that are kept


class Limits(NamedTuple):
    """How far an answer may go."""

    max_bytes: int = 1 << 26
    total_s: float = 60.0  # from the name that is resolved to the last byte of the answer
    silent_s: float = 10.0  # that a server may say nothing
    redirects: int = 5
    http: bool = False  # follow unprotected http as well


class Fetched(NamedTuple):
    """A photo that was allowed, came in time, and begins like one."""

    data: bytes
    url: str  # that gave it
    format: str  # by its first bytes, see `photos.formats`
    headers: dict[str, str]  # of note, lower case


class Passing(BadSample):
    """A refusal that may pass: asking again later may help.

    Args:
        reason: a word of the closed list.
        detail: what was seen.
        after_s: how long the server asks us to wait, if it does.
    """

    def __init__(self, reason: Reason, detail: str = "", after_s: float | None = None) -> None:
        super().__init__(reason, detail)
        self.after_s = after_s


class Reader:
    """Reads photos from the web; one for any number of threads.

    Args:
        limits: how far an answer may go.
        contact: an address or page by which a site's owner reaches whoever runs this.
        resolver: asked for names, once a hop.
        refuse: tells why an address may not be asked.
        context: what certificates are proved with; default this machine's authorities.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008  a constant of numbers
        contact: str = "",
        resolver: addresses.Resolver = addresses.resolve,
        refuse: addresses.Refusal = addresses.refusal,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self._agent = agent(contact)
        self._resolver, self._refuse = resolver, refuse
        self._context = context or ssl.create_default_context()

    def read(self, url: str) -> Fetched | Target:
        """Return the photo at a URL, or where else it is.

        Raises:
            BadSample: a reason of fetching, FILE_TOO_LARGE, EMPTY or TRUNCATED; `Passing` where asking again may help.
        """
        with self._line(url) as (target, line):
            asking = http.client.HTTPConnection(target.host, target.port)
            asking.auto_open = 0  # it would resolve the name again
            asking.sock = line
            asking.request("GET", target.path, headers={"Host": target.authority, **self._headers()})
            with asking.getresponse() as answer:
                return self._received(target, answer)

    def reaches(self, url: str) -> bool:
        """Tell whether a URL's host can be connected to; nothing is asked of it."""
        try:
            with self._line(url):
                return True
        except BadSample:
            return False

    @contextlib.contextmanager
    def _line(self, url: str) -> Iterator[tuple[Target, Line]]:
        """Connect to the host that a URL means; raises BadSample, also for what goes wrong inside the block."""
        with _reasons():
            deadline, silent_s = Deadline(self.limits.total_s), self.limits.silent_s
            target = urls.parse(url, http=self.limits.http)
            where = addresses.allowed(target.host, target.port, deadline.left(silent_s), self._resolver, self._refuse)
            with connected(target, where, self._context, deadline, silent_s) as line:
                yield target, Line(line, deadline, silent_s, self.limits.max_bytes + self.limits.max_bytes // 8 + _HEAD)

    def _headers(self) -> dict[str, str]:
        return {"User-Agent": self._agent, "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}

    def _received(self, target: Target, answer: http.client.HTTPResponse) -> Fetched | Target:
        headers = answer.getheaders()
        no = optout.reserved(headers)
        if no is not None:
            raise BadSample(Reason.OPTED_OUT, plain(no))
        if answer.status in REDIRECTS:
            return urls.follow(target, answer.getheader("Location") or "", http=self.limits.http)
        if answer.status != http.client.OK:
            said = plain(f"{answer.status} {answer.reason}")
            raise Passing(Reason.HTTP_ERROR, said, _wait(answer)) if answer.status in PASSING else BadSample(Reason.HTTP_ERROR, said)
        _check_head(answer, self.limits.max_bytes)
        told = {name.lower(): plain(value) for name, value in headers if name.lower() in OF_NOTE}
        data, begun = _body(answer, self.limits.max_bytes)
        return Fetched(data, target.url, begun, told)


def agent(contact: str = "") -> str:
    """Return how we introduce ourselves; raises RecipeError for a contact that cannot stand in a header."""
    if not (contact.isascii() and contact.isprintable()) or len(contact) > _LONGEST:
        raise RecipeError("--contact: an e-mail address or a web page, in plain letters")
    return f"{optout.ROBOT}/{metadata.version('patina')} (photos for image restoration data sets{f'; {contact}' if contact else ''})"


def plain(text: str) -> str:
    """Return what a stranger says as one short line that is safe to print."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST])


def _check_head(answer: http.client.HTTPResponse, max_bytes: int) -> None:
    media = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if media not in UNTOLD and not media.startswith("image/"):
        raise BadSample(Reason.WRONG_TYPE, plain(media))
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if coding != "identity":
        raise BadSample(Reason.WRONG_TYPE, plain(f"compressed on its way ({coding}), unasked"))
    if answer.length is not None and answer.length > max_bytes:
        raise BadSample(Reason.FILE_TOO_LARGE, f"{answer.length:,} bytes announced; the limit is {max_bytes:,}")


def _body(answer: http.client.HTTPResponse, max_bytes: int) -> tuple[bytes, str]:
    """Return the bytes and the format that they begin with; what is no picture is not read to its end."""
    announced = answer.length
    first = answer.read(_BLOCK)
    if not first:
        raise BadSample(Reason.EMPTY, "zero bytes")
    begun = signature(first)
    if begun is None:
        raise BadSample(Reason.WRONG_TYPE, f"begins with {first[:8]!r}: no known picture")
    data = io.BytesIO()
    block = first
    while block:
        data.write(block)
        if data.tell() > max_bytes:
            raise BadSample(Reason.FILE_TOO_LARGE, f"more than {max_bytes:,} bytes")
        block = answer.read(_BLOCK)
    if announced is not None and data.tell() < announced:
        raise Passing(Reason.TRUNCATED, f"{data.tell():,} of {announced:,} bytes came")
    return data.getvalue(), begun


def _wait(answer: http.client.HTTPResponse) -> float | None:
    """Return how many seconds the server asks for; a date is not followed."""
    told = (answer.getheader("Retry-After") or "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) < 7 else None


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Turn what goes wrong between here and there into reasons."""
    try:
        yield
    except TimeoutError as error:
        raise Passing(Reason.TOO_SLOW, plain(str(error))) from error
    except ssl.SSLCertVerificationError as error:
        raise BadSample(Reason.UNREACHABLE, plain(f"certificate: {error.verify_message}")) from error
    except OSError as error:  # an unknown name as well: to a machine that is off the web, all names are
        raise Passing(Reason.UNREACHABLE, plain(error.strerror or str(error))) from error
    except http.client.IncompleteRead as error:
        raise Passing(Reason.TRUNCATED, "the connection ended before the photo did") from error
    except (http.client.HTTPException, ValueError) as error:
        raise BadSample(Reason.HTTP_ERROR, plain(f"not an answer of HTTP: {type(error).__name__}")) from error
