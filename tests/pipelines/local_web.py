"""A small web on this machine: one site with good and bad manners, a trap beside it, and a resolver that knows both."""

from __future__ import annotations

import contextlib
import csv
import io
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from manifests.commit import read_table
from pipelines.web import addresses
from pipelines.web.reader import Limits, Reader
from pipelines.web.turns import Manners

HERE = "127.0.0.77"  # the site's address; all other loopback stays forbidden
SITE = "photos.test"
QUICK = Limits(max_bytes=200_000, total_s=0.8, silent_s=0.4, http=True)
AUTHORITIES = ssl.create_default_context()


def jpeg(seed: int = 0, side: int = 64) -> bytes:
    """Return a JPEG of its own for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def answer(body: bytes, kind: str = "image/jpeg", status: str = "200 OK", *more: str, length: int | None = None) -> bytes:
    """Return a whole HTTP answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body) if length is None else length}", *more]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body


def moved(to: str, status: str = "302 Found") -> bytes:
    """Return a redirect."""
    return answer(b"", "text/html", status, f"Location: {to}")


Page = bytes | Callable[["Visit"], None]


class Visit(socketserver.StreamRequestHandler):
    """One request to the site."""

    def handle(self) -> None:
        """Answer as the page says."""
        site: Site = self.server.site  # type: ignore[attr-defined]
        line = self.rfile.readline(65537).decode("latin-1").split()
        headers = {}
        while (text := self.rfile.readline(65537).decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        if len(line) < 2:
            return
        with site.lock:
            site.hits[line[1]] += 1
            site.heard.append(headers)
            site.inside += 1
            site.most_inside = max(site.most_inside, site.inside)
            site.times.append(time.monotonic())
        with contextlib.suppress(OSError):
            page = site.pages.get(line[1].partition("?")[0], answer(b"gone", "text/plain", "404 Not Found"))
            self.wfile.write(page) if isinstance(page, bytes) else page(self)
        with site.lock:
            site.inside -= 1

    def send(self, data: bytes) -> None:
        """Send a piece of an odd answer."""
        self.wfile.write(data)
        self.wfile.flush()

    def forever(self, piece: bytes, pause_s: float = 0.0) -> None:
        """Send one piece again and again, as long as somebody listens."""
        while True:
            self.send(piece)
            if pause_s:
                time.sleep(pause_s)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing of callers who hang up."""


class Site:
    """A server on `HERE`, over TLS if it has a certificate."""

    def __init__(self, pages: dict[str, Page], context: ssl.SSLContext | None = None) -> None:
        self.pages, self.context = pages, context
        self.lock = threading.Lock()
        self.hits: Counter[str] = Counter()
        self.heard: list[dict[str, str]] = []
        self.times: list[float] = []
        self.inside = self.most_inside = 0

    def __enter__(self) -> Self:
        self._server = _Server((HERE, 0), Visit)
        self._server.site = self  # type: ignore[attr-defined]
        if self.context is not None:
            self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str, host: str = SITE) -> str:
        """Return the URL of a page."""
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"


@contextlib.contextmanager
def trap(port: int) -> Iterator[list[str]]:
    """Listen where nobody may come: on the loopback's usual addresses; the list says who came."""
    came: list[str] = []
    listeners = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen()
            listener.settimeout(0.02)
            listeners.append(listener)
    over = threading.Event()

    def watch(listener: socket.socket) -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, who = listener.accept()
                came.append(str(who))
                connection.close()

    threads = [threading.Thread(target=watch, args=(listener,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    try:
        yield came
    finally:
        over.set()
        for thread, listener in zip(threads, listeners, strict=True):
            thread.join()
            listener.close()


class Names:
    """A resolver with a table; names that it does not hold are asked of this machine. Lists change with every question, as a rebinding server's do."""

    def __init__(self, **table: list[list[str]]) -> None:
        self.table = {name.replace("_", "."): answers for name, answers in table.items()}
        self.asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int, seconds: float) -> list[str]:
        """Return the next answer for a name."""
        self.asked[host] += 1
        if f".{host.rstrip('.')}".endswith(f".{SITE}"):
            return [HERE]
        answers = self.table.get(host)
        return answers[min(self.asked[host], len(answers)) - 1] if answers else addresses.resolve(host, port, seconds)


def refuse(address: str) -> str | None:
    """Allow the site's own address, and refuse what is refused everywhere."""
    return None if address == HERE else addresses.refusal(address)


def reader(limits: Limits = QUICK, names: Names | None = None, context: ssl.SSLContext | None = None) -> Reader:
    """Return a reader that knows this small web."""
    return Reader(limits, "mailto:me@example.org", names or Names(), refuse, context or AUTHORITIES)


def certificate(folder: Path, host: str = SITE) -> Path:
    """Make a certificate with its key for a host, valid for a day."""
    path = folder / "site.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path), "-out", str(folder / "cert.pem")]
    name = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-days", "1"]
    subprocess.run(["openssl", "req", "-x509", *key, *name], check=True, capture_output=True)
    path.write_text(path.read_text() + (folder / "cert.pem").read_text())
    return path


PHOTOS = {f"/{at}.jpg": jpeg(at) for at in range(12)}
BRISK = Manners(per_host=4, pause_s=0.0, tries=3, again_s=0.0)


def list_of(path: Path, rows: list[dict[str, str]]) -> str:
    """Write a list as CSV."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def table(folder: Path) -> list[dict[str, Any]]:
    """Return the ledger, without what differs from hour to hour."""
    rows = read_table(folder / "fetched.parquet").to_pylist()
    assert [row["row"] for row in rows] == list(range(1, len(rows) + 1))
    return [{name: value for name, value in row.items() if name != "fetched_at"} for row in rows]
