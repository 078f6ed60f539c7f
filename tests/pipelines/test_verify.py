"""Every injected fault is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import shards
from manifests.commit import read_table, table_notes, write_table
from pipelines.run import Run
from pipelines.verify import prove


def flip_bit(run: Run, dice: random.Random) -> None:
    """Change one bit of one tar."""
    path = dice.choice(sorted((run.folder / "shards").glob("*.tar")))
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def cut_at_a_member(run: Run, dice: random.Random) -> None:
    """Cut a tar where a member begins: the cut that tar readers do not notice."""
    shard = dice.choice(shards.committed(run.folder))
    rows = read_table(shards.rows_path(run.folder, shard)).to_pylist()
    path = shards.tar_path(run.folder, shard)
    path.write_bytes(path.read_bytes()[: dice.choice(rows)["clean_offset"] - shards.HEADER])


def lose_a_tar(run: Run, dice: random.Random) -> None:
    """Remove the pictures of a shard."""
    dice.choice(sorted((run.folder / "shards").glob("*.tar"))).unlink()


def add_a_file(run: Run, dice: random.Random) -> None:
    """Put a shard among the shards that nobody planned."""
    (run.folder / "shards" / f"train-{dice.randrange(90000, 99999)}.tar").write_bytes(b"x")


def _rewrite(run: Run, dice: random.Random, change: Callable[[list[dict]], list[dict]]) -> None:
    path = shards.rows_path(run.folder, dice.choice(shards.committed(run.folder)))
    table = read_table(path)
    rows = change(table.to_pylist())
    notes = {**table_notes(table), "rows": len(rows)}
    write_table(path, pa.Table.from_pylist(rows, table.schema), notes)


def repeat_a_row(run: Run, dice: random.Random) -> None:
    """Tell a pair twice."""
    _rewrite(run, dice, lambda rows: [*rows, dice.choice(rows)])


def lose_a_row(run: Run, dice: random.Random) -> None:
    """Forget a pair."""
    _rewrite(run, dice, lambda rows: rows[1:])


def swap_pictures(run: Run, dice: random.Random) -> None:
    """Give two pairs each other's degraded side, consistently with their hashes."""

    def swap(rows: list[dict]) -> list[dict]:
        if len(rows) < 2:
            rows[0]["degraded_offset"], rows[0]["clean_offset"] = rows[0]["clean_offset"], rows[0]["degraded_offset"]
            return rows
        for name in ("degraded_offset", "degraded_length", "degraded_sha256", "degraded_type"):
            rows[0][name], rows[1][name] = rows[1][name], rows[0][name]
        return rows

    _rewrite(run, dice, swap)


def change_a_parameter(run: Run, dice: random.Random) -> None:
    """Claim other steps than were planned."""

    def change(rows: list[dict]) -> list[dict]:
        dice.choice(rows)["steps"] = "[]"
        return rows

    _rewrite(run, dice, change)


def damage_the_rows(run: Run, dice: random.Random) -> None:
    """Change one byte in the data pages of a shard's Parquet."""
    path = shards.rows_path(run.folder, dice.choice(shards.committed(run.folder)))
    data = bytearray(path.read_bytes())
    column = pq.ParquetFile(Path(path)).metadata.row_group(0).column(1)
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 0xFF
    path.write_bytes(data)


def damage_the_plan(run: Run, dice: random.Random) -> None:
    """Change one byte of the plan."""
    path = run.plan_part(0)
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 0x10
    path.write_bytes(data)


def damage_the_manifest(run: Run, dice: random.Random) -> None:
    """Change one byte of the manifest."""
    data = bytearray(run.manifest.read_bytes())
    data[dice.randrange(len(data))] ^= 0x10
    run.manifest.write_bytes(data)


FAULTS = [
    *(flip_bit, cut_at_a_member, lose_a_tar, add_a_file, repeat_a_row, lose_a_row),
    *(swap_pictures, change_a_parameter, damage_the_rows, damage_the_plan, damage_the_manifest),
]


def test_a_sound_run_has_no_fault(finished):
    """Nothing is found where nothing is wrong."""
    proof = prove(finished)
    assert proof.faults == []
    assert proof.pending == 0
    assert proof.pairs > 20


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_injected_fault_is_found(finished, tmp_path, fault):
    """Twelve of each kind in random places: all are found."""
    import shutil

    for seed in range(12):
        shutil.copytree(finished.folder, tmp_path / str(seed), ignore=shutil.ignore_patterns("scene", "report"))
        damaged = replace(finished, folder=tmp_path / str(seed))
        fault(damaged, random.Random(seed))
        assert prove(damaged).faults, f"{fault.__name__} with seed {seed} went unnoticed"
