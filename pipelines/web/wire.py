"""A connection to an address that was checked, on which no answer takes longer or grows larger than was agreed.

Every read gets what is left of one deadline (`filters.vlm.timed`), and every byte counts, also those of headers and of chunk sizes.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from degrade.errors import BadSample, Reason
from filters.vlm.timed import Deadline, Timed, proven
from pipelines.web.urls import Target


class Line(Timed):
    """What `http.client` takes for a socket.

    Args:
        connected: the real one; whoever opened it closes it.
        deadline: for all that is read and sent.
        silent_s: how long the other side may say nothing.
        most: bytes that may be read in all.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline, silent_s: float, most: int) -> None:
        super().__init__(connected, deadline, silent_s)
        self._left = most

    def readinto(self, buffer: Any, /) -> int:
        """Read what has come; raises TimeoutError, or BadSample (FILE_TOO_LARGE)."""
        got = super().readinto(buffer)
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
    tls = context if target.scheme == "https" else None
    with _reached(addresses, target.port, deadline, silent_s) as plain, proven(plain, target.host.rstrip("."), tls, deadline, silent_s) as line:
        yield line


def _reached(addresses: Sequence[str], port: int, deadline: Deadline, silent_s: float) -> socket.socket:
    last: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=deadline.left(silent_s))
        except OSError as error:
            deadline.left()
            last = error
    raise last
