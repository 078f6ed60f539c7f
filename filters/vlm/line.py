"""One HTTP line to a server that speaks JSON: a deadline for each try, patience with a busy server, plain words when it fails."""

from __future__ import annotations

import datetime as dt
import email.utils
import http.client
import json
import os
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from degrade.errors import MissingModel, RecipeError, RunError
from filters.vlm.timed import connected

KEY = "PATINA_VLM_KEY"  # environment variable: what the server wants as a bearer token, if anything
BUSY = (408, 409, 425, 429, 500, 502, 503, 504)  # 409: the same request, sent before, is still at work
LONGEST_S = 30.0  # between two tries
MOST_BYTES = 16 << 20  # of an answer
NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Refused(RunError):
    """The server said no, and would again.

    Args:
        status: of HTTP.
        text: for people.
        body: what the server said.
    """

    def __init__(self, status: int, text: str, body: bytes = b"") -> None:
        super().__init__(status, text, body)
        self.status = status
        self.text = text
        self.body = body

    def __str__(self) -> str:
        return self.text


class Line:
    """A server's address and manners; safe to use from many threads.

    Args:
        url: where its API begins, e.g. `http://127.0.0.1:8000/v1`.
        timeout_s: of one try, from connecting to the last byte of the answer.
        tries: of one request, when the server is busy or the line breaks.
        first_wait_s: before the second try; doubles with each, unless the server names a time.
        key: environment variable of the bearer token.
        longest_s: of a wait, also of one that the server names.
        most_bytes: of an answer; a longer one is an error, and not asked for again.

    Raises:
        RecipeError: the address is none.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = 120.0,
        tries: int = 6,
        first_wait_s: float = 0.5,
        *,
        key: str = KEY,
        longest_s: float = LONGEST_S,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s, self._tries, self._first_wait_s = timeout_s, tries, first_wait_s
        self._key, self._longest_s, self._most_bytes = key, longest_s, most_bytes
        self._where = urllib.parse.urlsplit(self.url)
        if self._where.scheme not in {"http", "https"} or not self._where.hostname or self._where.username or self._where.query:
            raise RecipeError(f"{url!r} is no address of a server: give one like http://127.0.0.1:8000/v1, and the key in ${key}")
        self._context = _context() if self._where.scheme == "https" else None

    def get(self, path: str) -> Any:
        """Return what the server answers to GET; raises as `post` does, and MissingModel at once where nobody listens."""
        try:
            return self._answer("GET", path, b"", NONE, broken=(json.JSONDecodeError,))
        except OSError as error:
            raise MissingModel(f"nobody answers at {self.url} ({error}): start a server there (vllm serve MODEL), or set the address in the recipe") from error
        except http.client.HTTPException as error:
            raise MissingModel(f"what answers at {self.url} does not speak HTTP ({error!r}): set the server's address in the recipe") from error

    def post(self, path: str, page: Any) -> Any:
        """Return what the server answers to a POST of JSON; raises as `send` does."""
        return self.send(path, json.dumps(page).encode(), "application/json")

    def send(self, path: str, body: bytes, media_type: str, headers: Mapping[str, str] = NONE) -> Any:
        """Return what the server answers to POST.

        Args:
            path: below the address.
            body: what is sent.
            media_type: of the body.
            headers: further ones, the same with every try.

        Raises:
            Refused: the server says that the request is wrong.
            RunError: it stayed busy, out of reach or unreadable for all tries, or answers at too great a length.
        """
        own = {"Content-Type": media_type, **headers}
        return self._answer("POST", path, body, own, broken=(json.JSONDecodeError, OSError, http.client.HTTPException))

    def _answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str], broken: tuple[type[Exception], ...]) -> Any:
        """Return the answer of the first try that is neither busy nor broken in one of these ways."""
        trouble, wait = "", self._first_wait_s
        for left in reversed(range(self._tries)):
            asked_for = None
            try:
                status, asked_for, told = self._once(method, path, body, headers)
                if status not in BUSY:
                    return self._page(status, told)
                trouble = f"it answers {status} {_words(told)}"
            except broken as error:
                trouble = f"{type(error).__name__}: {error}"
            if left:
                time.sleep(min(asked_for if asked_for is not None else wait, self._longest_s))
                wait *= 2
        raise RunError(f"{self.url}{path} gave no answer in {self._tries} tries; at last {trouble}. Is the server up, and are fewer requests at once enough?")

    def _once(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None, bytes]:
        """Return status, the wait that the server asks for, and the body."""
        host, port = str(self._where.hostname), self._where.port or (443 if self._context else 80)
        door = http.client.HTTPSConnection(host, port, context=self._context) if self._context else http.client.HTTPConnection(host, port)
        key = os.environ.get(self._key)
        every = {"Accept": "application/json", **headers, **({"Authorization": f"Bearer {key}"} if key else {})}
        with connected(host, port, self._context, self._timeout_s) as door.sock:
            door.request(method, self._where.path + path, body or None, every)
            answer = door.getresponse()
            return answer.status, _seconds(answer.headers.get("Retry-After")), answer.read(self._most_bytes + 1)

    def _page(self, status: int, body: bytes) -> Any:
        if status in {401, 403}:
            raise Refused(status, f"{self.url} wants a key, or another one: set ${self._key} ({status} {_words(body)})", body)
        if status != http.client.OK:
            raise Refused(status, f"{self.url} refuses the request: {status} {_words(body)}", body)
        if len(body) > self._most_bytes:
            raise RunError(f"{self.url} answers with more than {self._most_bytes:,} bytes, and was not asked again: is this the address of the API?")
        return json.loads(body)


def _context() -> ssl.SSLContext:
    """Return what a server's certificate is proved with: this machine's authorities."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _seconds(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3); None for none, or neither."""
    if not text:
        return None
    if text.isascii() and text.strip().isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:  # "-0000": a date that tells no zone is meant as UTC
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - dt.datetime.now(dt.UTC)).total_seconds())


def _words(body: bytes) -> str:
    """Return the beginning of what a server said, on one line."""
    return " ".join(body[:300].decode("utf-8", "replace").split())
