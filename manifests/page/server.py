"""The page over HTTP, on this machine only.

Bound to 127.0.0.1. A request must name this machine as its host (a site that points its own name at 127.0.0.1 does not
get in), and a change must come from our page: it carries the token that the page was served with, which no other site
can read. People who can log in to this machine can look and review: a tunnel (`ssh -L 8765:127.0.0.1:8765 HOST`) shows
a run on another one.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from degrade.errors import CorruptRun, PatinaError, RecipeError, RunError
from manifests.page.members import SIDES
from manifests.page.run import InspectedRun, json_bytes

logger = logging.getLogger("patina.page")

ADDRESS = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost")
LONGEST_BODY = 16_384  # bytes of a review
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY + "; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
TYPES = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
DATA = "data.js"  # what the page holds without a server; nothing, here
JSON = "application/json"
NUMBERS = "application/octet-stream"  # float32, little-endian
FOR_GOOD = "private, max-age=86400"  # pictures are named by a hash of what decides them
FRESH = "no-store"


class Answer(NamedTuple):
    """What goes back."""

    body: bytes
    media_type: str
    cache: str = FRESH
    status: HTTPStatus = HTTPStatus.OK


def static_files(policy: str, token: str) -> dict[str, bytes]:
    """Return the files of the page by name; `index.html` with its policy and the session's token filled in."""
    folder = resources.files("manifests.page") / "static"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name.rpartition(".")[2] in TYPES}
    files["index.html"] = files["index.html"].replace(b"%POLICY%", policy.encode()).replace(b"%TOKEN%", token.encode())
    return files


class PageServer(ThreadingHTTPServer):
    """Serves one run until it is shut down.

    Args:
        run: what to show.
        port: 0 takes any that is free.

    Raises:
        RunError: the port is taken.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, run: InspectedRun, port: int) -> None:
        self.run = run
        self.token = secrets.token_urlsafe(24)
        run.overview_json()  # made before anybody waits for it
        self.files = {**static_files(POLICY, self.token), DATA: b"const HELD = null;\n"}
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise RunError(f"port {port} cannot be had ({error.strerror}): choose another with --port, or --port 0 for any") from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away in the middle; tell whatever else went wrong, with its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60  # s: an idle connection is given back
    wbufsize = 1 << 16  # one packet for head and body: two would wait for each other, 40 ms (Nagle and delayed ACK)
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a view."""
        self._answer(self._view)

    def do_POST(self) -> None:
        """Answer a review."""
        self._answer(self._change)

    def _answer(self, find: Callable[[], Answer]) -> None:
        try:
            answer = find() if self._for_us() else _refused(HTTPStatus.FORBIDDEN, "this page is served to 127.0.0.1 and localhost only")
        except RecipeError as error:
            answer = _refused(HTTPStatus.BAD_REQUEST, str(error))
        except CorruptRun as error:
            answer = _refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except PatinaError as error:
            answer = _refused(HTTPStatus.NOT_FOUND, str(error))
        if answer.status != HTTPStatus.OK:
            self.close_connection = True  # a body may lie unread
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", answer.cache)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _for_us(self) -> bool:
        """Say whether the request names this machine; behind a tunnel the port may be another."""
        hosts = self.headers.get_all("Host") or []
        return len(hosts) == 1 and hosts[0].rpartition(":")[0 if ":" in hosts[0] else 2] in HOSTS

    def _view(self) -> Answer:
        parts = urlsplit(self.path)
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        answer = self._file(words) or self._told(words, parse_qs(parts.query)) or self._scored(words) or self._seen(words)
        return answer or _refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _file(self, words: list[str]) -> Answer | None:
        """Answer with a file of the page."""
        match words:
            case [""] | ["index.html"]:
                return Answer(self.server.files["index.html"], TYPES["html"])
            case ["static", name] if name in self.server.files:
                return Answer(self.server.files[name], TYPES[name.rpartition(".")[2]], "no-cache")
        return None

    def _told(self, words: list[str], query: dict[str, list[str]]) -> Answer | None:
        """Answer with rows."""
        run = self.server.run
        match words:
            case ["api", "overview"]:
                return Answer(run.overview_json(), JSON)
            case ["api", "reviews"]:
                return Answer(json_bytes(run.reviewed()), JSON)
            case ["api", "parameters"]:
                return Answer(json_bytes(run.parameters(query.get("task", [""])[0])), JSON)
            case ["api", "pair", pair_id]:
                return Answer(json_bytes(run.story(pair_id)), JSON)
        return None

    def _scored(self, words: list[str]) -> Answer | None:
        """Answer with scores: what there is of them, or one of every pair."""
        match words:
            case ["api", "scores"]:
                return Answer(json_bytes(self.server.run.scores()), JSON)
            case ["api", "scores", name]:
                return Answer(self.server.run.score(name).astype("<f4").tobytes(), NUMBERS)
        return None

    def _seen(self, words: list[str]) -> Answer | None:
        """Answer with a picture."""
        run = self.server.run
        match words:
            case ["picture", pair_id, side] if side in SIDES:
                return Answer(*run.picture(pair_id, side), FOR_GOOD)
            case ["layer", pair_id, name]:
                return Answer(run.layer(pair_id, name), "image/png", FOR_GOOD)
            case ["thumbnail", pair_id]:
                return Answer(run.thumbnail(pair_id), "image/jpeg", FOR_GOOD)
        return None

    def _change(self) -> Answer:
        if urlsplit(self.path).path != "/api/reviews":
            return _refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        origin = self.headers.get("Origin")
        ours = origin is None or origin == f"http://{self.headers['Host']}"
        if not ours or not hmac.compare_digest(self.headers.get("X-Patina-Token", "").encode(), self.server.token.encode()):
            return _refused(HTTPStatus.FORBIDDEN, "this page is from an earlier session: reload it")
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != JSON or not length.isdecimal() or int(length) > LONGEST_BODY:
            return _refused(HTTPStatus.BAD_REQUEST, f"a review is at most {LONGEST_BODY} bytes of JSON")
        try:
            asked: Any = json.loads(self.rfile.read(int(length)))
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return _refused(HTTPStatus.BAD_REQUEST, "a review is a JSON object")
        return Answer(json_bytes(self.server.run.review(asked)), JSON)

    def version_string(self) -> str:
        """Tell strangers nothing of versions."""
        return "patina"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Keep the terminal calm."""
        logger.debug(format, *args)


def _refused(status: HTTPStatus, why: str) -> Answer:
    return Answer(json_bytes({"error": why}), JSON, status=status)
