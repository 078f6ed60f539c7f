"""A connection with one deadline for all that happens on it: connecting, TLS, sending, and reading to the last byte.

A socket's own timeout begins anew with every byte, so a server that sends one byte a second would hold a request for ever. Only
the resolver of the system keeps a time of its own; what it takes counts.
"""

from __future__ import annotations

import contextlib
import io
import math
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

_BUFFER = 1 << 16


class Deadline:
    """When everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """Return the seconds that are left, at most so many; raises TimeoutError when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"not complete within {self._seconds:g} s")
        return min(left, most)

    @contextlib.contextmanager
    def bound(self, line: socket.socket, silent_s: float) -> Iterator[None]:
        """Let one call on a socket take what is left, and no more than so many seconds; raises TimeoutError, which says what was too long."""
        line.settimeout(self.left(silent_s))
        try:
            yield
        except TimeoutError:
            self.left()
            raise TimeoutError(f"silent for {silent_s:g} s") from None


class Timed(io.RawIOBase):
    """What `http.client` takes for a socket.

    Args:
        connected: the real one; whoever opened it closes it.
        deadline: for all that is sent and read.
        silent_s: how long the other side may say nothing.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline, silent_s: float = math.inf) -> None:
        self._socket, self._deadline, self._silent_s = connected, deadline, silent_s

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the end from which the answer is read."""
        return io.BufferedReader(self, _BUFFER)

    def sendall(self, data: bytes) -> None:
        """Send the request; raises TimeoutError."""
        rest = memoryview(data)
        while rest:
            with self._deadline.bound(self._socket, self._silent_s):
                rest = rest[self._socket.send(rest) :]

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read what has come; raises TimeoutError."""
        with self._deadline.bound(self._socket, self._silent_s):
            return self._socket.recv_into(buffer)

    def close(self) -> None:
        """Do nothing: `http.client` closes before the body is read."""


@contextlib.contextmanager
def connected(host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> Iterator[Timed]:
    """Connect to a server, for so long that everything inside the block is over in time.

    Args:
        host: name or address.
        port: of TCP.
        context: what certificates are proved with; None without TLS.
        seconds: for everything.

    Raises:
        TimeoutError: it was not over, here or inside the block.
        OSError: nobody answers, or with a wrong certificate.
    """
    deadline = Deadline(seconds)
    with _reached(host, port, deadline) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are sent one after the other
        with proven(plain, host, context, deadline) as line:
            yield Timed(line, deadline)


@contextlib.contextmanager
def proven(plain: socket.socket, host: str, context: ssl.SSLContext | None, deadline: Deadline, silent_s: float = math.inf) -> Iterator[socket.socket]:
    """Prove by TLS that the other end is the host; without a context the connection stays plain. Raises TimeoutError, OSError."""
    if context is None:
        yield plain
        return
    with deadline.bound(plain, silent_s):
        line = context.wrap_socket(plain, server_hostname=host)
    with line:
        yield line


def _reached(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the first address of a host that takes one; a silent address leaves their share to the others."""
    last = OSError("no address")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for at, (family, kind, protocol, _, address) in enumerate(found):
        try:
            return _opened(socket.socket(family, kind, protocol), address, deadline.left() / (len(found) - at))
        except OSError as error:
            deadline.left()
            last = error
    raise last


def _opened(one: socket.socket, address: Any, seconds: float) -> socket.socket:
    try:
        one.settimeout(seconds)
        one.connect(address)
    except OSError:
        one.close()
        raise
    return one
