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
from pipelines.web.wanted import Part

WORKERS = 16
AHEAD = 4 * wanted.PART  # URLs that wait at most: slow sites of one part do not hold up the next
ALONE = 100  # hosts in a row that cannot be reached: it is us


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
    todo = [part for part in parts if not ledger.committed(folder, part)]
    rows_of = {part.number: part.rows() for part in todo[:0]}
    total, left = sum(map(wanted.size, parts)), sum(map(wanted.size, todo))
    with Meter("fetch", total, total - left, "URLs") as meter:
        _Fetching(folder, reader, manners, spool, meter).run(iter(todo), workers)
    del rows_of
    return ledger.join(folder)
