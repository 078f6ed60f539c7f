"""Servers that speak OpenAI's protocol as far as our tests need it: one judges pictures, one edits them, both have bad days."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import http.server
import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage, Message
from typing import Any, NamedTuple

import cv2
import numpy as np

from manifests import png


class Asked(NamedTuple):
    """A request that came."""

    path: str
    headers: Message
    page: Any  # what `read` made of its body


class StandIn(http.server.BaseHTTPRequestHandler):
    """One model on a server; what is in `server.hall` (lists of models) and `server.moods` (answers) is said before what is true.

    A mood is the arguments of `reply`, or what is called with the request's page and returns them, or nothing.
    """

    model, root = "", ""

    def read(self, body: bytes) -> Any:
        """Return what a request says."""
        raise NotImplementedError

    def answer(self, page: Any) -> Any:
        """Return the page that answers a request."""
        raise NotImplementedError

    def do_GET(self):
        if self.server.hall:
            self.reply(*self.server.hall.pop(0))
            return
        self.reply(200, {"object": "list", "data": [{"id": self.model, "object": "model", "root": self.root}]})

    def do_POST(self):
        page = self.read(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(Asked(self.path, self.headers, page))
            mood = self.server.moods.pop(0) if self.server.moods else None
        if callable(mood):
            mood = mood(page)
        self.reply(*(mood or (200, self.answer(page))))

    def reply(self, status, page, headers=()):
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object):
        """Say nothing."""


class Judge(StandIn):
    """A chat model that judges a picture by its mean level: the brighter, the higher the digit."""

    model, root = "Qwen/Qwen3-VL-8B-Instruct", "/models/qwen"

    def read(self, body):
        return json.loads(body)

    def answer(self, page):
        assert (page["max_tokens"], page["temperature"], page["logprobs"], page["top_logprobs"]) == (1, 0, True, 20)
        level = self.picture(page).mean() / 255
        shares = np.exp(-((np.linspace(0, 1, 5) - level) ** 2) * 20)
        shares *= 0.9 / shares.sum()
        top = [{"token": str(at + 1), "logprob": math.log(share), "bytes": [49 + at]} for at, share in enumerate(shares)]
        top.append({"token": "The", "logprob": math.log(0.05), "bytes": None})
        top.sort(key=lambda one: -one["logprob"])
        said = {"content": [{**top[0], "top_logprobs": top}]}
        return {"choices": [{"index": 0, "message": {"role": "assistant", "content": top[0]["token"]}, "logprobs": said}]}

    @staticmethod
    def picture(page) -> np.ndarray:
        """Return the first picture of a request, as the server decodes it."""
        url = next(part["image_url"]["url"] for part in page["messages"][0]["content"] if part["type"] == "image_url")
        head, _, data = url.partition(",")
        assert head == "data:image/png;base64"
        return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)


class Editor(StandIn):
    """An editor that inverts a photo and writes the seed into its corner; pages are the form's parts by name."""

    model, root = "Qwen/Qwen-Image-Edit-2511", "/models/qwen-edit"

    def read(self, body):
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).get_payload()
        return {part.get_param("name", header="content-disposition"): part for part in parts}

    def answer(self, page):
        made = 255 - cv2.imdecode(np.frombuffer(said(page["image"]), np.uint8), cv2.IMREAD_COLOR_RGB)
        made[0, 0] = int(said(page["seed"]) if "seed" in page else 0) % 256
        return {"created": 1, "data": [{"b64_json": base64.b64encode(png.encode(made)).decode()}]}


def said(part: EmailMessage) -> bytes:
    """Return what a part of a form holds."""
    return part.get_payload(decode=True)


@contextmanager
def serving(kind: type[StandIn]) -> Iterator[http.server.ThreadingHTTPServer]:
    """Yield a running server, whose `seen` are the requests that came."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.lock, server.seen, server.moods, server.hall = threading.Lock(), [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def url(server: http.server.ThreadingHTTPServer) -> str:
    """Return where a server's interface begins."""
    return f"http://127.0.0.1:{server.server_address[1]}/v1"
