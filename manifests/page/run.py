"""A run as the page sees it: columns, rows, pictures and reviews, read when they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from degrade.errors import RunError
from degrade.keys import nearest
from manifests.commit import read_table
from manifests.limits import Limit
from manifests.page import columns, members, parameters, queue, reviews, row, scored, survival, thumbnails
from manifests.page.agreement import agreement
from manifests.schema import PAIR

_TOLD = [name for name in PAIR.names if name != "scores"]  # of a row, for people; its scores are at hand


@dataclass(frozen=True, slots=True)
class About:
    """What the page cannot read off the rows; the verb `inspect` knows it."""

    name: str
    limits: Mapping[str, Limit] = field(default_factory=dict)
    vocabulary: row.Vocabulary = field(default_factory=dict)
    strata: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # edges of severity by task
    measures: Mapping[str, row.Parameter] = field(default_factory=dict)  # what scorers say of their numbers, by `scorer.measure`


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One state of the manifest."""

    stamp: tuple[int, int]
    table: Any
    places: dict[str, int]  # pair_id -> row number
    metadata: Any  # of the Parquet file
    groups: NDArray[np.int64]  # first row number of every row group


@dataclass(frozen=True, slots=True)
class _Judged:
    """The scores of one state of the manifest, and what fell by them: seconds of work where there are many."""

    stamp: tuple[int, int]
    scored: scored.Scored
    survival: list[survival.Fall]


class InspectedRun:
    """A run folder, opened for looking; safe to use from several threads.

    Args:
        folder: of the run.
        about: what the rows do not tell.

    Raises:
        RunError: there is no manifest yet.
    """

    def __init__(self, folder: Path, about: About) -> None:
        self.folder, self.about = folder, about
        self.reviews = reviews.ReviewLog(folder)
        self._lock, self._judging = threading.Lock(), threading.Lock()
        self._seen: _Snapshot | None = None
        self._judged: _Judged | None = None
        self._told: tuple[tuple[int, int], bytes] | None = None
        self._now()

    def _now(self) -> _Snapshot:
        """Return the manifest as it is now: `select` may replace it while people look."""
        path = self.folder / "manifest.parquet"
        if not path.exists():
            raise RunError(f"{path} is missing: finish the run with `patina build` or `patina select {self.folder}`")
        told = path.stat()
        stamp = (told.st_mtime_ns, told.st_size)
        with self._lock:
            if self._seen is None or self._seen.stamp != stamp:
                table = columns.light(path)
                places = {pair_id: at for at, pair_id in enumerate(table.column("pair_id").to_pylist())}
                metadata = pq.read_metadata(path)
                sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
                self._seen = _Snapshot(stamp, table, places, metadata, np.cumsum([0, *sizes]))
            return self._seen

    def table(self) -> Any:
        """Return the light columns, as an Arrow table."""
        return self._now().table

    def overview(self, chosen: Any = None) -> dict[str, Any]:
        """Return the columns of all pairs, or of chosen rows, and what is told of the run as a whole."""
        table = self._now().table
        return {
            "name": self.about.name,
            "folder": str(self.folder),
            "columns": columns.packed(table, chosen),
            "of": table.num_rows,
            "strata": dict(self.about.strata),
            "review_reasons": reviews.REASONS,
        }

    def overview_json(self) -> bytes:
        """Return the overview of all pairs as JSON, made once for each state of the manifest."""
        stamp = self._now().stamp
        kept = self._told
        if kept is None or kept[0] != stamp:
            self._told = kept = (stamp, json_bytes(self.overview()))
        return kept[1]

    def row(self, pair_id: str, names: list[str] | None = None) -> dict[str, Any]:
        """Return a pair's row, whole or only some columns; raises RunError for a pair that is not in the manifest."""
        now = self._now()
        place = now.places.get(pair_id)
        if place is None:
            raise RunError(f"no pair {pair_id[:40]} in {self.folder}: reload the page if the run was selected again")
        group = int(np.searchsorted(now.groups, place, side="right")) - 1
        with pq.ParquetFile(self.folder / "manifest.parquet", metadata=now.metadata) as file:
            found: dict[str, Any] = file.read_row_group(group, columns=names).slice(place - int(now.groups[group]), 1).to_pylist()[0]
        return found

    def story(self, pair_id: str) -> dict[str, Any]:
        """Return a pair's row for people."""
        told = row.story(self.row(pair_id, _TOLD), self.about.vocabulary)
        return {**told, "scores": self._standing(pair_id, told["task"]), "replay": f"patina replay {self.folder} --pair {pair_id}"}

    def _standing(self, pair_id: str, task: str) -> list[dict[str, Any]]:
        """Return a pair's scores: their limits for its task, and how many pairs of its task lie below it."""
        now, judged = self._now(), self._scores()
        at = now.places[pair_id]
        mine = dict(judged.scored.row(at))
        alike = pc.is_in(pc.cast(now.table.column("task"), pa.string()), value_set=pa.array([task], pa.string()))  # photos that the gate refused have none
        below = judged.scored.below(at, np.asarray(alike))
        found = []
        for told in scored.catalogue(mine, self.about.measures, self.about.limits):
            name, limit = told["name"], scored.limit_of(told.pop("limits"), task)
            outside = limit is not None and not limit[0] <= mine[name] <= limit[1]
            found.append({**told, "value": mine[name], "below": below.get(name), "limit": limit, "outside": outside})
        return found

    def _scores(self) -> _Judged:
        """Return the scores as they are now, read when somebody asks for the first time."""
        now = self._now()
        with self._judging:
            if self._judged is None or self._judged.stamp != now.stamp:
                column = read_table(self.folder / "manifest.parquet", ["scores"]).column("scores")
                falls = survival.survival(now.table.append_column("scores", column), self.about.limits)
                self._judged = _Judged(now.stamp, scored.scored(column), falls)
            return self._judged

    def scores(self) -> dict[str, Any]:
        """Return what is told of every score, and the survival table."""
        judged = self._scores()
        listed = scored.catalogue(judged.scored.places, self.about.measures, self.about.limits)
        return {"listed": listed, "survival": [fall._asdict() for fall in judged.survival]}

    def score(self, name: str) -> NDArray[np.float32]:
        """Return one score of every pair; raises RunError for one that no pair has."""
        known = self._scores().scored
        if name not in known.places:
            raise RunError(f"no score `{name[:80]}`; {nearest(name, known.places)}" if known.places else "this run has no scores")
        return known.of(name)

    def parameters(self, task: str) -> dict[str, Any]:
        """Return every parameter of a task's step, with units."""
        found = parameters.drawn(self.folder / "manifest.parquet", task)
        known = self.about.vocabulary.get(task, {})
        names = [*found["numbers"], *found["words"]]
        return {**found, "about": {name: {"title": row.title_of(name), **row.unit_of(name, known)._asdict()} for name in names}}

    def picture(self, pair_id: str, side: str) -> tuple[bytes, str]:
        """Return a side's stored bytes and their media type."""
        return members.picture(self.folder, self.row(pair_id, members.COLUMNS), side)

    def layer(self, pair_id: str, name: str) -> bytes:
        """Return a side product as a PNG for eyes."""
        return members.layer(self.folder, self.row(pair_id, members.COLUMNS), name)

    def thumbnail(self, pair_id: str) -> bytes:
        """Return a pair's thumbnail, a JPEG."""
        known = pair_id in self._now().places  # a name from outside never becomes a path
        return (known and thumbnails.kept(self.folder, pair_id)) or thumbnails.thumbnail(self.folder, self.row(pair_id, members.COLUMNS))

    def review(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Write a decision down; answer what now stands. Raises RecipeError for one that cannot be meant."""
        pair_id = str(asked.get("pair_id"))
        self.row(pair_id, ["pair_id"])
        self.reviews.append(reviews.reviewed(pair_id, asked.get("reviewer"), asked.get("decision"), asked.get("reason"), asked.get("note") or ""))
        return self.reviewed(pair_id)

    def reviewed(self, only: str | None = None) -> dict[str, Any]:
        """Return the standing words on every pair, or on one, what they come to, and how far the reviewers agree."""
        standing, asked = self.reviews.standing(), queue.read(self.folder)
        pairs = {
            pair_id: {
                "outcome": reviews.outcome(words, asked.reviewers),
                "settled": reviews.settled(words, asked.reviewers),
                "disputed": reviews.disputed(words),
                "words": {name: {"decision": word.decision, "reason": word.reason, "note": word.note} for name, word in words.items()},
            }
            for pair_id, words in standing.items()
            if only in {None, pair_id}
        }
        whole = {} if only else {"queue": asked.pairs}
        return {"pairs": pairs, "agreement": agreement(standing.values())._asdict(), "reviewers": asked.reviewers, **whole}


def json_bytes(value: Any) -> bytes:
    """Return JSON of values and numpy arrays; NaN becomes null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
