"""The line to a server: whatever the other end does, a try ends in time, and an answer without end is not asked for twice."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time

import pytest
from stand_in import Judge, serving, url

from degrade.errors import MissingModel, RunError
from filters.vlm import timed
from filters.vlm.line import Line, Refused

PATIENCE_S = 0.25
HEAD = b"HTTP/1.1 200 OK\r\n"


def heard(connection):
    """Return the body of a request."""
    file, length = connection.makefile("rb"), 0
    while line := file.readline().strip().lower():
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return file.read(length)


def drip(connection, piece, times=40):
    """Send a piece twenty times a second, for two seconds."""
    for _ in range(times):
        connection.sendall(piece)
        time.sleep(0.05)


def body(connection):
    heard(connection)
    connection.sendall(HEAD + b"Content-Length: 42\r\n\r\n[")
    drip(connection, b"1")


def head(connection):
    heard(connection)
    connection.sendall(HEAD)
    drip(connection, b"X: 1\r\n")


def chunks(connection):
    heard(connection)
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"0")


def silent(connection):
    heard(connection)
    time.sleep(2)


def slow_reader(connection):
    for _ in range(40):
        connection.recv(1 << 14)
        time.sleep(0.05)


@contextlib.contextmanager
def answering(handle, context=None):
    """Yield the port of a server that hands each connection to a function, and the list of those that came."""
    came = []

    def one(connection):
        with contextlib.suppress(OSError), connection:
            handle(context.wrap_socket(connection, server_side=True) if context else connection)

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                connection, who = listener.accept()
                came.append(who)
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], came
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    """A certificate for localhost, with its key."""
    path = tmp_path_factory.mktemp("proof")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path / "key.pem", "-out", path / "cert.pem"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    subprocess.run(["openssl", "req", "-x509", *key, *name], check=True, capture_output=True)
    return path


@pytest.fixture(params=["http", "https"])
def secured(request, proof, monkeypatch):
    """How a server is reached, and what it proves itself with; our side trusts it."""
    if request.param == "http":
        return "http", None
    monkeypatch.setenv("SSL_CERT_FILE", str(proof / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(proof / "cert.pem", proof / "key.pem")
    return "https", context


@pytest.mark.parametrize("handle", [body, head, chunks, silent, slow_reader])
def test_a_try_ends_in_time(handle, secured):
    """However the time is lost, sending, waiting or reading piece by piece, over TLS as well: it is that of the whole try."""
    scheme, context = secured
    with answering(handle, context) as (port, came):
        line = Line(f"{scheme}://localhost:{port}/v1", timeout_s=PATIENCE_S, tries=1)
        begin = time.monotonic()
        with pytest.raises(RunError, match=r"in 1 tries; at last TimeoutError: not complete within 0\.25 s"):
            line.send("/x", bytes(40 << 20) if handle is slow_reader else b"{}", "application/json")
        assert PATIENCE_S <= time.monotonic() - begin < 1.5
        assert len(came) == 1


def test_an_answer_in_time_is_read_over_tls(secured):
    """A request that is larger than any buffer arrives whole, and the answer comes back."""
    scheme, context = secured
    sent = 8 << 20

    def whole(connection):
        count = len(heard(connection))
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%d\r\n0\r\n\r\n" % (len(str(count)), count))

    with answering(whole, context) as (port, _):
        assert Line(f"{scheme}://localhost:{port}/v1", timeout_s=30, tries=1).send("/x", bytes(sent), "text/plain") == sent


def test_a_handshake_that_never_ends_ends_in_time():
    """A server that takes the connection and proves nothing is given up."""
    with answering(silent) as (port, _), pytest.raises(MissingModel, match=r"not complete within 0\.25 s"):
        Line(f"https://localhost:{port}/v1", timeout_s=PATIENCE_S).get("/models")


def test_a_silent_address_leaves_time_for_the_next(monkeypatch):
    """Of a host with two addresses the first may never answer: the second is asked in time."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting, serving(Judge) as house:
        for _ in range(2):  # more than it takes: the third is left waiting
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (full.getsockname(), house.server_address)]
        monkeypatch.setattr(timed.socket, "getaddrinfo", lambda *_, **__: both)
        begin = time.monotonic()
        assert Line(url(house), timeout_s=2 * PATIENCE_S).get("/models")["data"]
        assert time.monotonic() - begin >= PATIENCE_S


@pytest.mark.parametrize("told", [True, False], ids=["announced", "without end"])
def test_an_answer_that_is_too_long_is_not_asked_for_again(told):
    """The words say how long it may be; one that is just as long is taken."""

    def long(connection):
        length = int(heard(connection))
        connection.sendall(HEAD + (b"Content-Length: %d\r\n" % length if told else b"") + b'\r\n"' + b"a" * (length - 2) + b'"')

    with answering(long) as (port, came):
        line = Line(f"http://127.0.0.1:{port}/v1", timeout_s=5, tries=3, first_wait_s=0, most_bytes=2000)
        assert line.send("/x", b"2000", "text/plain") == "a" * 1998
        with pytest.raises(RunError, match=r"answers with more than 2,000 bytes, and was not asked again"):
            line.send("/x", b"2001", "text/plain")
        assert len(came) == 2


def test_of_a_refusal_the_beginning_is_enough():
    """A long page beside a busy status is asked again, and beside a refusal it is one still."""
    with serving(Judge) as house:
        house.moods[:] = [(503, b"b" * 3000), (400, b"c" * 3000)]
        with pytest.raises(Refused, match="400 ccc"):
            Line(url(house), first_wait_s=0, most_bytes=2000).post("/chat/completions", {})
        assert len(house.seen) == 2
