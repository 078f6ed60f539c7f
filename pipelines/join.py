"""The verb `join`: several finished runs as one, synthetic and real, which trainers, `verify`, `inspect` and `export` read like any other.

    OUT/run.json  join.json      what was joined: the runs, their fingerprints and manifests
    OUT/shards/                  the runs' own tars, hard-linked (copied to another disk), and their rows as they were selected
    OUT/plan/  index.parquet     the runs' plans and indices, one after the other

A shard `train-00000` of the run `web` becomes `train-web-00000`, so that a split still begins with its name. No picture is
coded again and no verdict changes, but for one: a pair whose photo another run holds out is refused (`held_out`). Limits and
reviews stay where they were made: change them there, `select` there, and join again.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import CorruptRun, Reason, RunError
from manifests import commit, shards
from manifests.schema import PAIR, VERSION
from pipelines import plan, select
from pipelines.duplicates import meaning
from pipelines.held_out import Homes, Moved, families, photos_of
from pipelines.joined_plan import Member, renamed, shard_name, write_plan, write_tables
from pipelines.progress import Meter
from pipelines.recipe import identity_fingerprint, parse
from pipelines.rejecting import rejected
from pipelines.run import Run, load, require

NAME = "join"  # in `decided_by`
RECORD = "join.json"
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")


class Joint(NamedTuple):
    """What a join came to."""

    pairs: int  # planned
    kept: dict[str, int]  # by origin
    refused: int  # because another run holds their photo out
    moved: dict[str, int]  # of those, by `split -> split`
    linked: int  # shards; the rest was copied


def join(out: Path, folders: Sequence[Path]) -> Joint:
    """Join runs into a folder; a second time changes nothing unless a run was selected again.

    Args:
        out: new, empty, or the same join.
        folders: of finished runs.

    Raises:
        RunError: a run is not finished, a pair is in two of them, or the folder holds something else.
        CorruptRun: a manifest is not what its record says.
    """
    members = _members(out, folders)
    told = [{"name": member.name, "folder": str(member.run.folder.absolute()), "fingerprint": member.run.fingerprint} for member in members]
    identity = {"joined": [[one["name"], one["fingerprint"]] for one in told]}
    run = _opened(out, members, identity)
    made_from = {"runs": told, "manifests": [member.manifest_sha256 for member in members]}
    record = out / RECORD
    if record.exists() and (known := json.loads(record.read_text(encoding="utf-8")))["made_from"] == made_from and run.manifest.exists():
        return Joint(**known["joint"])
    record.unlink(missing_ok=True)
    for folder, _, _ in os.walk(out):
        commit.clear_temporaries(Path(folder))
    write_plan(run, members)
    write_tables(run, members)
    joint = _shards(run, members)
    select.select(run)
    commit.write_json(record, {"made_from": made_from, "joint": joint._asdict()})
    return joint


def _members(out: Path, folders: Sequence[Path]) -> list[Member]:
    """Open the runs, refuse what is not finished, and name them apart."""
    if len(folders) < 2:
        raise RunError("name at least two runs to join")
    places = [folder.resolve() for folder in folders]
    if len(set(places)) < len(places) or out.resolve() in places:
        raise RunError("every run is joined once, and into a folder of its own")
    found: list[Member] = []
    for folder in folders:
        run = load(folder)
        require(run.manifest, "select", folder)
        record = json.loads(run.manifest_record.read_text(encoding="utf-8")) if run.manifest_record.exists() else {}
        digest = commit.sha256(run.manifest.read_bytes())
        if record.get("sha256") != digest:
            raise CorruptRun(f"{run.manifest} is not what was committed: run `patina select {folder}`")
        pending = {shard for part in plan.read_record(run)["parts"] for shard in part} - record["shards"].keys()
        if pending:
            raise RunError(f"{folder} is not finished: {len(pending)} shards are planned and not in its manifest; run `patina render` and `patina select`")
        base = NOT_IN_A_NAME.sub("_", folder.resolve().name).strip("_") or "run"
        names = {member.name for member in found}
        found.append(Member(next(name for number in range(1, 1000) if (name := base + f"_{number}" * (number > 1)) not in names), run, digest))
    return found


def _opened(out: Path, members: Sequence[Member], identity: dict[str, Any]) -> Run:
    """Return the folder as a run; its recipe names the runs and holds their pages for people."""
    fingerprint = identity_fingerprint(identity)
    if (out / "run.json").exists():
        if json.loads((out / "run.json").read_text(encoding="utf-8"))["fingerprint"] != fingerprint:
            raise RunError(f"{out} is another run, or was joined from others: choose a new folder")
        return load(out)
    if out.exists() and any(path.name != ".lock" for path in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no joined run: choose a new or empty folder")
    out.mkdir(parents=True, exist_ok=True)
    name = (NOT_IN_A_NAME.sub("_", out.resolve().name).strip("_") or "joined")[:64]
    recipe = parse({"name": name, "seed": members[0].run.recipe.seed, "joined": {member.name: member.run.fingerprint for member in members}})
    pages = [f"# ---- {member.name} ----\n{(member.run.folder / 'recipe.yaml').read_text(encoding='utf-8').rstrip()}\n" for member in members]
    commit.write_bytes(out / "recipe.yaml", "\n".join([f"# joined by `patina join` from {len(members)} runs, each by its own recipe", *pages]).encode())
    commit.write_json(out / "run.json", {"fingerprint": fingerprint, "identity": identity, "recipe": recipe.model_dump(mode="json")})
    return Run(out, recipe, fingerprint)


def _shards(run: Run, members: Sequence[Member]) -> Joint:
    """Link the pictures and write the rows, as they were selected, but for pairs that another run holds out."""
    tables = {member.name: _rows(member) for member in members}
    _refuse_twins(tables)
    homes = Homes(families({member.name: _index(member.run) for member in members}))
    photos = {name: photos_of(table) for name, table in tables.items()}
    splits = {name: pc.cast(table.column("split"), pa.string()).to_pylist() for name, table in tables.items()}
    for name in tables:
        homes.add(name, splits[name], photos[name])
    kept: Counter[str] = Counter()
    moves: Counter[str] = Counter()
    linked = 0
    with Meter(NAME, sum(table.num_rows for table in tables.values())) as meter:
        for member in members:
            moved = [homes.moved(split, shown) for split, shown in zip(splits[member.name], photos[member.name], strict=True)]
            table = _held_out(tables[member.name], moved, moves)
            kept.update(pc.cast(table.filter(pc.equal(pc.cast(table.column("verdict"), pa.string()), "keep")).column("origin"), pa.string()).to_pylist())
            for shard, rows in _by_shard(table):
                linked += _shard(run, member, shard, rows)
                meter.add(rows.num_rows, {})
    return Joint(sum(table.num_rows for table in tables.values()), dict(kept), moves.total(), dict(moves), linked)


def _index(run: Run) -> pa.Table:
    """Return a run's index, with the families that its plan kept together."""
    index = commit.read_table(run.index)
    if run.recipe.duplicates.semantic is None:
        return index
    clusters = {photo.sha256: photo.cluster for photo in meaning.joined(run, plan.photos(run))}
    column = pa.array([clusters.get(sha256) for sha256 in index.column("sha256").to_pylist()], pa.string())
    return index.set_column(index.schema.get_field_index("cluster"), "cluster", column)


def _rows(member: Member) -> pa.Table:
    """Return the rows of a manifest that are in shards."""
    table = commit.read_table(member.run.manifest).select(PAIR.names).cast(PAIR)
    return table.filter(pc.fill_null(pc.not_equal(pc.cast(table.column("shard"), pa.string()), ""), False)).unify_dictionaries()


def _refuse_twins(tables: dict[str, pa.Table]) -> None:
    """Raise where a pair is in two runs: it has one name in both, and so have its pictures."""
    seen: dict[str, str] = {}
    for name, table in tables.items():
        for pair_id in table.column("pair_id").to_pylist():
            other = seen.setdefault(pair_id, name)
            if other != name:
                raise RunError(f"pair {pair_id} is in {other} and in {name}: they made the same pairs of the same photos; join one of them only")


def _held_out(table: pa.Table, moved: Sequence[Moved | None], moves: Counter[str]) -> pa.Table:
    """Refuse kept pairs whose photo belongs to another split, and count them."""
    stands = pc.equal(pc.cast(table.column("verdict"), pa.string()), "keep").to_pylist()
    splits = pc.cast(table.column("split"), pa.string()).to_pylist()
    falls = [bool(keep and place) for keep, place in zip(stands, moved, strict=True)]
    details = [f"photo {place.photo[:12]} or a copy of it is in `{place.split}` of {place.run}" if place else None for place in moved]
    moves.update(f"{split} -> {place.split}" for split, place, fell in zip(splits, moved, falls, strict=True) if fell and place)
    told = {"decided_by": NAME, "reason": str(Reason.HELD_OUT), "detail": pa.chunked_array([details], pa.string())}
    return rejected(table, pa.chunked_array([falls], pa.bool_()), told) if any(falls) else table


def _by_shard(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield (shard, rows); rows of a shard stand together."""
    names = np.asarray(pc.cast(table.column("shard"), pa.string()).to_pylist(), dtype=object)
    begins = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)] if len(names) else []
    for begin, end in itertools.pairwise(begins):
        yield names[begin], table.slice(begin, end - begin)


def _shard(run: Run, member: Member, shard: str, rows: pa.Table) -> int:
    """Bring one shard over; answer 1 where its pictures were linked, 0 where they were copied."""
    name = shard_name(member.name, shard)
    notes = commit.parquet_notes(shards.rows_path(member.run.folder, shard))
    linked = _linked(shards.tar_path(member.run.folder, shard), shards.tar_path(run.folder, name))
    told = {"schema_version": VERSION, "fingerprint": run.fingerprint, "rows": rows.num_rows}
    table = renamed(rows, member.name)
    commit.write_table(shards.rows_path(run.folder, name), table, {**told, **{key: notes[key] for key in ("tar_digest", "tar_length")}})
    return linked


def _linked(source: Path, target: Path) -> int:
    """Give a tar a second name, or copy it where that cannot be; answer 1 for a link."""
    if target.exists() and target.samefile(source):
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.link{commit.TEMPORARY}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    try:
        os.link(source, fresh)
    except FileNotFoundError:
        raise CorruptRun(f"{source} is gone: `patina verify` names what is missing") from None
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
        with open(source, "rb") as old, commit.atomic_file(target) as new:
            while data := old.read(1 << 22):
                new.write(data)
        return 0
    os.rename(fresh, target)
    commit.sync_folder(target.parent)
    return 1
