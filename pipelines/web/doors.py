"""The doors of sites: so many requests go in at once, whichever entries of a list lead there.

Turns are taken by the host that a list names. A redirect leads to another, and a thousand short links may lead to one site.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class Doors:
    """Counts who is inside; one for any number of threads.

    Args:
        most: requests at once to one host.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()
        self._change = threading.Condition()

    @contextlib.contextmanager
    def inside(self, host: str, seconds: float) -> Iterator[None]:
        """Go in as soon as there is room; raises TimeoutError when there is none within so many seconds."""
        with self._change:
            if not self._change.wait_for(lambda: self._inside[host] < self._most, seconds):
                raise TimeoutError("other requests of ours kept its site busy")
            self._inside[host] += 1
        try:
            yield
        finally:
            with self._change:
                self._inside[host] -= 1
                if not self._inside[host]:
                    del self._inside[host]
                self._change.notify_all()
