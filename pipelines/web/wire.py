"""A connection to an address that was checked, on which no answer takes longer or grows larger than was agreed.

A socket's own timeout begins anew with every byte, so a server that sends one byte a second holds a reader for ever.
Here every read gets what is left of one deadline, and every byte counts, also those of headers and of chunk sizes.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import time
from collections.abc import Iterator, Sequence

from degrade.errors import BadSample, Reason
from pipelines.web.urls import Target

_BUFFER = 1 << 16


class Deadline:
    """When an answer must be complete, whatever happens on the way to it."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """Return the seconds that are left, at most so many; raises TimeoutError when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"not complete within {self._seconds:g} s")
        return left if most is None else min(left, most)


class Line:
    """What `http.client` takes for a socket.

    Args:
        connected: the real one; whoever opened it closes it.
        deadline: for all that is read and sent.
        silent_s: how long the other side may say nothing.
        most: bytes that may be read in all.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline, silent_s: float, most: int) -> None:
        self._socket, self._deadline, self._silent_s, self._most = connected, deadline, silent_s, most

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the end from which the answer is read."""
        return io.BufferedReader(_Counted(self._socket, self._deadline, self._silent_s, self._most), _BUFFER)

    def sendall(self, data: bytes) -> None:
        """Send the request."""
        self._socket.settimeout(self._deadline.left(self._silent_s))
        self._socket.sendall(data)

    def close(self) -> None:
        """Do nothing: `http.client` closes before the body is read."""


class _Counted(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline, silent_s: float, most: int) -> None:
        self._socket, self._deadline, self._silent_s, self._left = connected, deadline, silent_s, most

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        """Read what has come; raises TimeoutError, or BadSample (FILE_TOO_LARGE)."""
        left = self._deadline.left()
        self._socket.settimeout(min(left, self._silent_s))
        try:
            got = self._socket.recv_into(buffer)
        except TimeoutError:
            self._deadline.left()
            raise TimeoutError(f"silent for {self._silent_s:g} s") from None
        self._left -= got
        if self._left < 0:
            raise BadSample(Reason.FILE_TOO_LARGE, "headers and framing without end")
        return got


@contextlib.contextmanager
def connected(target: Target, addresses: Sequence[str], context: ssl.SSLContext, deadline: Deadline, silent_s: float) -> Iterator[socket.socket]:
    """Connect to the first address that answers, and prove by TLS that it is the host.

    Args:
        target: scheme, host and port.
        addresses: that were checked, in the order in which they are tried; nothing is resolved here.
        context: what certificates are proved with.
        deadline: of the whole answer.
        silent_s: that one address may take to answer.

    Raises:
        TimeoutError, OSError: of the last address that was tried.
    """
    with _reached(addresses, target.port, deadline, silent_s) as plain:
        if target.scheme != "https":
            yield plain
            return
        plain.settimeout(deadline.left(silent_s))
        with context.wrap_socket(plain, server_hostname=target.host.rstrip(".")) as proven:
            yield proven


def _reached(addresses: Sequence[str], port: int, deadline: Deadline, silent_s: float) -> socket.socket:
    last: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=deadline.left(silent_s))
        except OSError as error:
            deadline.left()
            last = error
    raise last
