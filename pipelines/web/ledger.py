"""The books of a fetch: every row of the list, with the photo that came of it or the reason why none did.

A part is a tar as img2dataset writes it (`KEY.jpg` as it came, `KEY.json` what is known of it) and a Parquet beside it, whose
existence is the commit. `fetched.parquet` joins them: one row for every row of the list, the last answer where it was asked again.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import Reason, RunError
from manifests import commit, licences
from pipelines.web import wanted
from pipelines.web.spool import Answer, Spool
from pipelines.web.wanted import Part

SUCCESS, REFUSED, PENDING = "success", "refused", "pending"
ENDINGS = {"jpeg": "jpg", "tiff": "tif"}  # where they are not the format's own name
FETCHED = pa.schema(
    [
        ("key", pa.string()),  # of the photo in its tar, as img2dataset calls it
        ("status", pa.string()),  # success | refused; in `fetched.parquet` also pending
        ("row", pa.int64()),  # of the list, from 1
        ("url", pa.string()),
        ("final_url", pa.string()),  # that answered, after redirects
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("passing", pa.bool_()),  # whether asking again may help
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("format", pa.string()),
        ("tar", pa.string()),
        ("licence", pa.string()),
        ("fetched_at", pa.string()),  # UTC
        ("headers", pa.string()),  # JSON: those of note
        ("extra", pa.map_(pa.string(), pa.string())),
    ]
)
SAID = frozenset({Reason.HTTP_ERROR, Reason.OPTED_OUT, Reason.WRONG_TYPE, Reason.EMPTY, Reason.FILE_TOO_LARGE, Reason.TRUNCATED})  # by a site, none else
ANSWERED = ("final_url", "reason", "detail", "passing", "sha256", "bytes", "format", "fetched_at", "headers")  # columns that an answer fills


class Books(NamedTuple):
    """Where every row of a list is."""

    wanted: int
    fetched: int
    refused: dict[str, int]  # by reason
    bytes: int
    passing: int  # of the refused, those that `--retry` asks again

    @property
    def pending(self) -> int:
        """Rows that no committed row speaks of yet."""
        return self.wanted - self.fetched - sum(self.refused.values())

    @property
    def closed(self) -> bool:
        """Whether every row has come to an end that is written down."""
        return self.pending == 0

    def as_json(self) -> dict[str, Any]:
        """Return the books for machines."""
        return {**self._asdict(), "pending": self.pending, "closed": self.closed}

    def __str__(self) -> str:
        head = f"wanted  {self.wanted:>8} = {self.fetched} fetched + {sum(self.refused.values())} refused + {self.pending} pending"
        return "\n".join([head, *(f"        {count:>8}   {reason}" for reason, count in Counter(self.refused).most_common())])


def committed(folder: Path, part: Part) -> bool:
    """Tell whether a part is complete."""
    return _rows_path(folder, part).exists()


def _rows_path(folder: Path, part: Part) -> Path:
    return folder / f"{part.name}.parquet"


def heard(reason: str | None) -> bool:
    """Tell whether what became of a URL proves that a site answered; None is a photo."""
    return reason is None or reason in SAID


def answered(folder: Path) -> dict[str, str]:
    """Return a URL of every host that answered in the last committed part where any did; empty where none ever did."""
    for part in reversed(wanted.parts(folder)):
        reasons = commit.read_table(_rows_path(folder, part), ["reason"]).column("reason").to_pylist() if committed(folder, part) else []
        if found := {row["host"]: row["url"] for row, reason in zip(part.rows(), reasons, strict=False) if heard(reason)}:
            return found
    return {}


def close(folder: Path, part: Part, spool: Spool) -> list[dict[str, Any]]:
    """Commit a part of which every answer is there; answer its rows.

    Raises:
        RunError: an answer is not there.
    """
    rows = part.rows()
    tar = folder / f"{part.name}.tar"
    made: list[dict[str, Any]] = []
    with commit.atomic_file(tar) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for place, row in enumerate(rows):
            answer = _answer(row, part.key(place), spool)
            line = _line(row, part, place, answer)
            if line["status"] == SUCCESS:
                _append(archive, f"{line['key']}.{ENDINGS.get(line['format'], line['format'])}", answer.data)
                _append(archive, f"{line['key']}.json", json.dumps(_told(line), ensure_ascii=False).encode())
            made.append(line)
    if not any(line["status"] == SUCCESS for line in made):
        tar.unlink()
    commit.write_table(_rows_path(folder, part), _table(made), {"rows": len(made)})
    spool.clear(line["key"] for line in made)
    return made


def _answer(row: dict[str, Any], key: str, spool: Spool) -> Answer:
    if row["reason"]:
        return Answer({"reason": row["reason"], "detail": row["detail"], "passing": False}, b"")
    answer = spool.get(key)
    if answer is None:
        raise RunError(f"the answer for {key} is gone from the spool: somebody removed it while the job ran; run the same command again")
    return answer


def _line(row: dict[str, Any], part: Part, place: int, answer: Answer) -> dict[str, Any]:
    told = {name: answer.told.get(name) for name in ANSWERED}
    status = REFUSED if told["reason"] else SUCCESS
    kept = {"key": part.key(place), "status": status, "row": row["row"], "url": row["url"], "extra": row["extra"], "licence": licences.of(row["extra"])}
    return {**told, **kept, "tar": f"{part.name}.tar" if status == SUCCESS else None}


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """Return what stands beside a photo in its tar: enough to know it by when the table is lost."""
    known = {name: line[name] for name in ("key", "status", "url", "final_url", "sha256", "fetched_at", "licence")}
    return {**line["extra"], **known}


def _append(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{**row, "extra": sorted(row["extra"].items())} for row in rows], FETCHED)


def passing(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of `wanted.WANTED` whose refusal may have passed since; empty while anything is pending."""
    parts = wanted.parts(folder)
    if not all(committed(folder, part) for part in parts):
        return []
    table = _last(folder)
    again = set(table.filter(pc.equal(table.column("passing"), True)).column("row").to_pylist())
    rows = {row["row"]: {**row, "extra": sorted(row["extra"].items())} for part in (parts if again else []) for row in part.rows() if row["row"] in again}
    return [rows[row] for row in sorted(again)]


def _last(folder: Path) -> pa.Table:
    """Return the last committed row of every row of the list."""
    tables = [commit.read_table(_rows_path(folder, part)) for part in wanted.parts(folder) if committed(folder, part)]
    table = pa.concat_tables([FETCHED.empty_table(), *tables])
    places = {row: place for place, row in enumerate(table.column("row").to_pylist())}
    return table.take(pa.array([places[row] for row in sorted(places)], pa.int64()))


def join(folder: Path) -> Books:
    """Write `fetched.parquet` and return the books, both from what is committed."""
    table = _last(folder)
    known = set(table.column("row").to_pylist())
    complete = len(known) == wanted.count(folder)
    first = [] if complete else [row for part in wanted.parts(folder) if part.path.name == wanted.FIRST for row in part.rows()]
    waiting = [_pending(row) for row in first if row["row"] not in known]
    commit.write_table(folder / "fetched.parquet", pa.concat_tables([table, _table(waiting)]).sort_by("row"))
    reasons = Counter(table.column("reason").to_pylist())
    fetched = reasons.pop(None, 0)
    return Books(
        wanted.count(folder),
        fetched,
        {str(Reason(reason)): count for reason, count in sorted(reasons.items())},
        pc.sum(table.column("bytes")).as_py() or 0,
        pc.sum(pc.cast(table.column("passing"), pa.int64())).as_py() or 0,
    )


def _pending(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("row", "url", "extra")}
    return {**dict.fromkeys(FETCHED.names), **told, "status": PENDING, "licence": licences.of(row["extra"])}
