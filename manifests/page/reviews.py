"""What people decided about pairs: one JSON line for each decision, appended to `RUN/reviews.jsonl` and never changed.

The last word of each reviewer on a pair stands. A majority of accepts and rejects decides; a tie rejects, since a doubtful
pair costs a trainer more than a missing one. A flag asks for another look and decides nothing. Where a run asks for
several reviewers (`manifests/page/queue.py`), fewer accepts and rejects than that decide nothing yet.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import CorruptRun, RecipeError, RunError
from degrade.keys import nearest
from manifests.commit import sync_folder

FILE = "reviews.jsonl"
DECISIONS = ("accept", "reject", "flag", "withdraw")  # withdraw takes the reviewer's last word back
REASONS = {  # why a pair is rejected, in the order of the keys 1-8
    "not_visible": "the degradation cannot be seen",
    "too_strong": "nothing is left to restore",
    "not_real": "it does not look like the real thing",
    "wrong_place": "it ignores depth, sky or objects",
    "artefact": "seams, blocks or colours of our own making",
    "misaligned": "the two sides do not line up",
    "clean_not_clean": "the clean side has flaws",
    "unwanted": "the photo does not belong here",
}
LONGEST_NAME, LONGEST_NOTE = 40, 500  # characters
LONGEST_LINE = 8192  # bytes

Words = dict[str, "Review"]  # by reviewer


class Review(NamedTuple):
    """One decision of one person about one pair."""

    pair_id: str
    reviewer: str
    decision: str  # of DECISIONS
    reason: str | None  # of REASONS, for a reject
    note: str
    at: str  # UTC, ISO 8601

    @property
    def story(self) -> str:
        """Say it in a few words."""
        return f"{self.reviewer}: {self.reason or self.decision}" + (f" ({self.note})" if self.note else "")


def reviewed(pair_id: str, reviewer: Any, decision: Any, reason: Any = None, note: Any = "") -> Review:
    """Return a decision made now; raises RecipeError for one that cannot be meant."""
    if not isinstance(reviewer, str) or not (name := " ".join(reviewer.split())) or len(name) > LONGEST_NAME or not name.isprintable():
        raise RecipeError(f"a reviewer needs a name of 1 to {LONGEST_NAME} printable characters")
    if decision not in DECISIONS:
        raise RecipeError(f"decision `{decision}`: {nearest(str(decision), DECISIONS)}")
    if decision == "reject" and reason not in REASONS:
        raise RecipeError(f"a reject needs a reason, not `{reason}`: {nearest(str(reason), REASONS)}")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or any("\ud800" <= letter <= "\udfff" for letter in note):
        raise RecipeError(f"a note is text of at most {LONGEST_NOTE} characters")
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Review(pair_id, name, decision, reason if decision == "reject" else None, " ".join(note.split()), at)


class ReviewLog:
    """The reviews of a run; several servers may append to one file, and each sees the others' lines.

    Args:
        run: the run folder.

    Raises:
        CorruptRun: a line, other than an unfinished last one, is no review.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / FILE
        self._standing: dict[str, Words] = {}
        self._read = 0  # bytes
        self._lines = 0
        self._lock = threading.Lock()

    def append(self, review: Review) -> None:
        """Write a decision down; it is on the disk when this returns. Raises RunError where it cannot be."""
        try:
            self._write((json.dumps(review._asdict(), ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise RunError(f"{self.path} cannot grow ({error.strerror}). Make room, or see who may write there, and say it again") from error

    def _write(self, line: bytes) -> None:
        """Append a line, or nothing; raises OSError."""
        new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            _drop_torn_line(handle)
            size = os.fstat(handle).st_size
            try:
                if os.write(handle, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if new:
            sync_folder(self.path.parent)

    def standing(self) -> dict[str, Words]:
        """Return the last word of every reviewer by pair; pairs whose words were all withdrawn are left out."""
        with self._lock:
            for review in self._new_lines():
                words = self._standing.setdefault(review.pair_id, {})
                words.pop(review.reviewer, None)
                if review.decision != "withdraw":
                    words[review.reviewer] = review
                elif not words:
                    del self._standing[review.pair_id]
            return {pair_id: dict(words) for pair_id, words in self._standing.items()}

    def _new_lines(self) -> list[Review]:
        """Return the reviews that were appended since the last look."""
        if not self.path.exists():
            self._standing, self._read, self._lines = {}, 0, 0
            return []
        with open(self.path, "rb") as file:
            if os.fstat(file.fileno()).st_size < self._read:  # another file by this name: read it from its beginning
                self._standing, self._read, self._lines = {}, 0, 0
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        found = [self._parsed(line, self._lines + 1 + at) for at, line in enumerate(lines)]
        self._read += len(whole) + 1 if whole else 0  # only now: a line that is no review is told of at every look
        self._lines += len(lines)
        return found

    def _parsed(self, line: bytes, number: int) -> Review:
        try:
            return Review(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise CorruptRun(f"{self.path}, line {number}: not a review; mend or delete this line") from error


def _drop_torn_line(handle: int) -> None:
    """Cut off a line that a power cut left unfinished: nobody was told that it was written."""
    size = os.fstat(handle).st_size
    tail = os.pread(handle, LONGEST_LINE, max(0, size - LONGEST_LINE))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)


def outcome(words: Words, needed: int = 1) -> str | None:
    """Return what a pair's reviewers decided together: accept, reject, or None where too few have said either.

    Args:
        words: the standing words on the pair.
        needed: how many accepts and rejects there must be.
    """
    said = _votes(words)
    if said.total() < max(needed, 1):
        return None
    return "accept" if said["accept"] > said["reject"] else "reject"


def settled(words: Words, needed: int = 1) -> bool:
    """Say whether another word is not wanted: enough people have spoken, and more of them on one side."""
    said = _votes(words)
    return said.total() >= max(needed, 1) and said["accept"] != said["reject"]


def disputed(words: Words) -> bool:
    """Say whether reviewers disagree about a pair."""
    return {"accept", "reject"} <= {review.decision for review in words.values()}


def _votes(words: Words) -> Counter[str]:
    return Counter(review.decision for review in words.values() if review.decision in {"accept", "reject"})
