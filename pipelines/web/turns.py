"""Whose turn it is: no site is asked more often, or on more connections at once, than good manners allow."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

LOST = 8  # connections in a row that failed, after which a host is not asked again
LONGEST_WAIT_S = 120.0  # that a server may ask for; beyond it the URL is refused for now


class Manners(NamedTuple):
    """How a site is treated."""

    per_host: int = 2  # connections at once
    pause_s: float = 0.2  # between the beginnings of two requests
    tries: int = 3  # of a URL whose refusal may pass
    again_s: float = 5.0  # before the second try; twice as long before the third


class Job(NamedTuple):
    """One URL that is to be asked."""

    part: int
    key: str
    url: str
    host: str
    tried: int = 0
    hops: int = 0  # redirects that led here


@dataclass(slots=True)
class _Host:
    waiting: deque[Job] = field(default_factory=deque)
    running: int = 0
    ready: float = 0.0  # when the next request may begin
    failed: int = 0  # connections in a row
    listed: bool = False  # stands in the heap


class Turns:
    """Jobs by host, each host in its order; times are seconds of one steady clock that the caller reads."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._hosts: dict[str, _Host] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._count = 0  # breaks ties in the order of arrival
        self.waiting = 0

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        self._hosts.setdefault(job.host, _Host()).waiting.append(job)
        self.waiting += 1
        self._list(job.host)

    def take(self, now: float) -> Job | None:
        """Return the next job whose host may be asked now."""
        while self._heap and self._heap[0][0] <= now:
            _, _, name = heapq.heappop(self._heap)
            host = self._hosts[name]
            host.listed = False
            if host.ready > now:  # it asked for patience since
                self._list(name)
                continue
            job = host.waiting.popleft()
            self.waiting -= 1
            host.running += 1
            host.ready = now + self._manners.pause_s
            self._list(name)
            return job
        return None

    def wait_s(self, now: float) -> float | None:
        """Return in how many seconds the next turn may come; None where one waits for an answer."""
        return max(0.0, self._heap[0][0] - now) if self._heap else None

    def done(self, job: Job, *, reached: bool) -> None:
        """Note that a job has come to its end, and whether its host answered at all."""
        host = self._hosts[job.host]
        host.running -= 1
        host.failed = 0 if reached else host.failed + 1
        self._list(job.host)

    def again(self, job: Job, now: float, after_s: float | None) -> bool:
        """Let a job that is done wait for another try, and its host with it; False where that is over."""
        wait_s = self._manners.again_s * 2**job.tried if after_s is None else after_s
        host = self._hosts[job.host]
        if job.tried + 1 >= self._manners.tries or wait_s > LONGEST_WAIT_S or host.failed >= LOST:
            return False
        host.ready = max(host.ready, now + wait_s)
        self.add(job._replace(tried=job.tried + 1))
        return True

    def lost(self, job: Job) -> bool:
        """Tell whether a job's host has failed too often to be asked again."""
        return self._hosts[job.host].failed >= LOST

    def _list(self, name: str) -> None:
        host = self._hosts[name]
        if host.waiting and not host.listed and host.running < self._manners.per_host:
            heapq.heappush(self._heap, (host.ready, self._count, name))
            self._count += 1
            host.listed = True
