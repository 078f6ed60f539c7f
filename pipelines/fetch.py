"""The verb `fetch`: the photos of a list of URLs come into a folder, each asked for once and politely; every row says what became of it.

The folder is a source for any recipe (`--input FOLDER`): tars as img2dataset writes them, so that URL, licence and date travel on.
Requests run on threads, for they wait most of their time; what comes is spooled at once, so that a job that is killed asks
again only for what was on its way.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from degrade.errors import BadSample, Reason, RunError
from manifests import commit
from pipelines.progress import Meter
from pipelines.web import ledger, wanted
from pipelines.web.ledger import Books
from pipelines.web.reader import Passing, Reader
from pipelines.web.spool import Answer, Spool
from pipelines.web.turns import Job, Manners, Turns
from pipelines.web.urls import Target
from pipelines.web.wanted import Part

WORKERS = 16
AHEAD = 4 * wanted.PART  # URLs that wait at most: slow sites of one part do not hold up the next
ALONE = 100  # hosts in a row that cannot be reached: it may be us
KNOWN = 3  # hosts that answered before and are tried then


def fetch(page: str, folder: Path, reader: Reader, manners: Manners, workers: int = WORKERS, column: str | None = None, *, retry: bool = False) -> Books:
    """Fetch what a list names and what is not fetched yet.

    Args:
        page: the list: .parquet, .csv, .jsonl or .txt.
        folder: of the photos; new, empty, or one to go on with. The caller holds its lock.
        reader: asks.
        manners: how a site is treated.
        workers: requests at once, over all sites.
        column: that names the URL.
        retry: when all is done, ask once more for what may have passed since.

    Raises:
        RunError: the folder belongs to another list, or nothing on the web can be reached from here.
    """
    wanted.fix(folder, page, column, http=reader.limits.http)
    commit.clear_temporaries(folder)
    if retry and (rows := ledger.passing(folder)):
        wanted.again(folder, rows)
    spool = Spool(folder)
    spool.open()
    parts = wanted.parts(folder)
    done = {part.name for part in parts if ledger.committed(folder, part)}
    spool.clear(key for key in spool.kept() if wanted.part_of(key) in done)  # a kill came between a commit and its clearing
    todo = [part for part in parts if part.name not in done]
    total, left = sum(part.size for part in parts), sum(part.size for part in todo)
    with Meter("fetch", total, total - left, "URLs") as meter:
        _Fetching(folder, reader, manners, spool, meter).run(iter(todo), workers)
    return ledger.join(folder)


class _Fetching:
    """The parts that are open, whose turn it is, and what is on its way."""

    def __init__(self, folder: Path, reader: Reader, manners: Manners, spool: Spool, meter: Meter) -> None:
        self._folder, self._reader, self._spool, self._meter = folder, reader, spool, meter
        self._turns = Turns(manners)
        self._open: dict[int, Part] = {}
        self._left: Counter[int] = Counter()
        self._silent: set[str] = set()  # hosts that were given up since one answered
        self._answered = ledger.answered(folder)  # a URL by host, the last at the end, of this job and earlier ones

    def run(self, parts: Iterator[Part], workers: int) -> None:
        """Fetch until every part is committed."""
        running: dict[Future[Target | BadSample | None], Job] = {}
        with ThreadPoolExecutor(workers) as pool:
            while True:
                while self._turns.waiting < AHEAD and (part := next(parts, None)) is not None:
                    self._begin(part)
                while len(running) < workers and (job := self._turns.take(time.monotonic())) is not None:
                    running[pool.submit(self._ask, job)] = job
                if not running and not self._turns.waiting:
                    return
                pause_s = self._turns.wait_s(time.monotonic()) if len(running) < workers else None
                if not running:
                    time.sleep(pause_s or 0.0)
                for done in wait(running, pause_s, FIRST_COMPLETED).done if running else ():
                    self._settle(running.pop(done), done.result())

    def _begin(self, part: Part) -> None:
        """Line up what a part still wants; an interrupted job left answers in the spool."""
        rows = part.rows()
        jobs = [Job(part.number, part.key(place), row["url"], row["host"]) for place, row in enumerate(rows) if not row["reason"]]
        jobs = [job for job in jobs if not self._spooled(job)]
        self._open[part.number], self._left[part.number] = part, len(jobs)
        self._meter.add(len(rows) - len(jobs), {})
        for job in jobs:
            self._turns.add(job)
        if not jobs:
            self._commit(part.number)

    def _spooled(self, job: Job) -> bool:
        answer = self._spool.get(job.key)
        if answer is not None and ledger.heard(answer.told.get("reason")):
            self._answered[job.host] = job.url
        return answer is not None

    def _ask(self, job: Job) -> Target | BadSample | None:
        """On a thread: fetch, and spool what can be said already; answer why there is no photo, or where it is."""
        try:
            if self._turns.lost(job):
                raise Passing(Reason.UNREACHABLE, "its host failed too often in a row to be asked again")
            photo = self._reader.read(job.url)
            if isinstance(photo, Target):
                if job.hops >= self._reader.limits.redirects:
                    raise BadSample(Reason.HTTP_ERROR, f"more than {self._reader.limits.redirects} redirects")
                return photo
        except Passing as passing:
            return passing
        except BadSample as bad:
            self._refuse(job, bad)
            return bad
        told = {"final_url": photo.url, "sha256": commit.sha256(photo.data), "bytes": len(photo.data), "format": photo.format}
        self._spool.put(job.key, Answer({**told, "headers": json.dumps(photo.headers), "passing": False, "fetched_at": _now()}, photo.data))
        return None

    def _refuse(self, job: Job, bad: BadSample) -> None:
        told = {"reason": str(bad.reason), "detail": bad.detail, "passing": isinstance(bad, Passing), "sha256": None, "fetched_at": _now()}
        self._spool.put(job.key, Answer(told, b""))

    def _settle(self, job: Job, end: Target | BadSample | None) -> None:
        """Note how a request ended; raises RunError when nothing answers any more."""
        if isinstance(end, Target):  # its host is asked in its own turn
            self._turns.done(job, reached=True)
            self._turns.add(job._replace(url=end.url, host=end.host, hops=job.hops + 1))
            return
        reached = end is None or end.reason not in {Reason.UNREACHABLE, Reason.TOO_SLOW}
        self._turns.done(job, reached=reached)
        if ledger.heard(end.reason if end else None):
            self._silent.clear()
            self._answered.pop(job.host, None)
            self._answered[job.host] = job.url
        if isinstance(end, Passing):
            if self._turns.again(job, time.monotonic(), end.after_s):
                return
            self._refuse(job, end)
        self._meter.add(1, {str(end.reason): 1} if end else {})
        self._left[job.part] -= 1
        if not self._left[job.part]:
            self._commit(job.part)
        if not reached:
            self._silent.add(job.host)
            self._check_line()

    def _check_line(self) -> None:
        """Raise RunError where so many sites are silent that it may be us, and those that answered before are silent too."""
        if len(self._silent) < ALONE:
            return
        if not any(self._reader.reaches(url) for url in list(self._answered.values())[-KNOWN:]):
            told = f"{ALONE} sites in a row cannot be reached, nor any that answered before: is this machine on the web? (proxies are not used)"
            raise RunError(f"{told}; then run the same command again, and at its end with --retry for what was given up")
        self._silent.clear()

    def _commit(self, number: int) -> None:
        ledger.close(self._folder, self._open.pop(number), self._spool)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
