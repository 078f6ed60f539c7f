"""Several runs as one: the same pictures, one name for each pair, and no photo in two splits."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_run import make, recipe
from typer.testing import CliRunner

from degrade.errors import CorruptRun, RecipeError, RunError
from manifests import commit
from manifests.commit import read_table, table_notes
from manifests.page.reviews import ReviewLog, reviewed
from pipelines import held_out, join, replay, select, verify
from pipelines.build import books
from pipelines.cli import app
from pipelines.export import export
from pipelines.pictures import report
from pipelines.recipe import load as load_recipe
from pipelines.run import load

OTHER = {"tasks": {"noise": {"share": 1.0}}, "seed": 35, "split": {"train": 0.6, "test": 0.4}, "variants": 4}


def called_real(table):
    """Return rows that say that they are real."""
    at = table.schema.get_field_index("origin")
    return table.set_column(at, table.schema.field(at), pa.array(["real"] * table.num_rows).cast(table.schema.field(at).type))


@pytest.fixture(scope="module")
def second(tmp_path_factory, photos):
    """Another run of some of the same photos, encoded and cropped anew, split by another seed; its pairs call themselves real."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "web").mkdir()
    for name in ("coffee.png", "rocket.jpg", "hubble_deep_field.jpg"):
        shutil.copy(photos / name, folder / "web" / name)
    for name in ("astronaut.png", "chelsea.png"):
        photo = cv2.imread(str(photos / name))
        cv2.imwrite(str(folder / "web" / f"copy_of_{name}.jpg"), photo[4:-4, 6:-2], [cv2.IMWRITE_JPEG_QUALITY, 92])
    run = make(folder / "web run", folder / "web", recipe(name="web", **OTHER))
    for shard in (run.folder / "shards").glob("*.parquet"):
        table = read_table(shard)
        commit.write_table(shard, called_real(table), table_notes(table))
    record = json.loads(run.plan_record.read_text())
    for part in range(len(record["parts"])):
        with pq.ParquetFile(run.plan_part(part)) as file:
            groups = [called_real(file.read_row_group(group)) for group in range(file.num_row_groups)]
        with pq.ParquetWriter(run.plan_part(part), groups[0].schema) as writer:
            for group in groups:
                writer.write_table(group)
    hashes = [commit.sha256(run.plan_part(part).read_bytes()) for part in range(len(record["parts"]))]
    commit.write_json(run.plan_record, {**record, "sha256": hashes})
    select.select(run)
    return run


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, finished, second):
    """Both, joined."""
    folder = tmp_path_factory.mktemp("mixed") / "mixed"
    join.join(folder, [finished.folder, second.folder])
    return load(folder)


def rows_of(run):
    """Return the manifest by pair."""
    return {row["pair_id"]: row for row in read_table(run.manifest).to_pylist()}


def test_every_pair_of_both_is_there_once_with_the_same_bytes(mixed, finished, second):
    """Rows are those of the runs but for shard, and a verdict where a photo is held out; `verify` finds no fault, the books close."""
    proof = verify.prove(mixed)
    assert (proof.faults, proof.pending) == ([], 0)
    assert books(mixed).closed
    joined, before = rows_of(mixed), {**rows_of(finished), **rows_of(second)}
    assert joined.keys() == before.keys()
    changed = {"shard", "verdict", "reason", "detail", "decided_by"}
    for pair_id, row in joined.items():
        assert [row[name] for name in row.keys() - changed] == [before[pair_id][name] for name in row.keys() - changed]
        assert row["reason"] == "held_out" or all(row[name] == before[pair_id][name] for name in changed - {"shard"})
    assert {row["origin"] for row in joined.values()} == {"synthetic", "real"}
    assert all(row["shard"].startswith(f"{row['split']}-") for row in joined.values() if row["shard"])


def test_no_photo_and_no_copy_of_one_is_in_two_splits(mixed, finished, second):
    """Kept pairs of the same photo, or of a copy encoded and cropped anew, are in one split; where runs disagreed, test won."""
    family = held_out.families({run.recipe.name: read_table(run.index) for run in (finished, second)})
    table = read_table(mixed.manifest)
    splits, before = defaultdict(set), defaultdict(set)
    for row, photos in zip(table.to_pylist(), held_out.photos_of(table), strict=True):
        for photo in photos:
            before[family[photo]].add(row["split"])
            if row["verdict"] == "keep":
                splits[family[photo]].add(row["split"])
    torn = {name for name, found in before.items() if len(found) > 1}
    assert torn
    assert all(len(found) == 1 for found in splits.values())
    assert all(splits[name] == {"test"} for name in torn)
    assert {row["origin"] for row in rows_of(mixed).values() if row["reason"] == "held_out"} == {"synthetic", "real"}  # either may lose
    copies = [row for row in rows_of(second).values() if "copy_of" in row["photo_uri"]]
    assert all(len([sha256 for sha256, name in family.items() if name == family[row["photo_sha256"]]]) == 2 for row in copies)
    refused = [row for row in rows_of(mixed).values() if row["reason"] == "held_out"]
    assert {(row["decided_by"], row["split"]) for row in refused} == {("join", "train")}
    assert all("is in `test` of" in row["detail"] for row in refused)


def test_pictures_are_linked_and_nothing_is_done_twice(mixed, finished, second):
    """A second join leaves every byte and every time as it is; the tars are the runs' own."""
    tar = next((finished.folder / "shards").glob("train-*.tar"))
    assert (mixed.folder / "shards" / f"train-run-{tar.stem.partition('-')[2]}.tar").samefile(tar)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in mixed.folder.rglob("*") if path.is_file()}
    joint = join.join(mixed.folder, [finished.folder, second.folder])
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in mixed.folder.rglob("*") if path.is_file()} == before
    assert joint.refused == sum(joint.moved.values()) == sum(row["reason"] == "held_out" for row in rows_of(mixed).values())
    assert joint.kept == dict(Counter(row["origin"] for row in rows_of(mixed).values() if row["verdict"] == "keep"))


def test_a_run_that_was_selected_again_is_joined_again(finished, second, scratch, tmp_path):
    """A reject in one of the runs reaches the joined one with the next `join`."""
    out = tmp_path / "out"
    join.join(out, [scratch.folder, second.folder])
    key = next(pair_id for pair_id, row in rows_of(load(out)).items() if row["verdict"] == "keep" and row["origin"] == "synthetic")
    ReviewLog(scratch.folder).append(reviewed(key, "ann", "reject", "artefact"))
    select.select(scratch)
    join.join(out, [scratch.folder, second.folder])
    assert rows_of(load(out))[key]["reason"] == "reviewed_out"
    assert verify.prove(load(out)).faults == []


@pytest.mark.parametrize("at", ["plan.json", "listing.parquet", "shards", "manifest.json", "join.json"])
def test_a_join_that_was_stopped_goes_on(mixed, finished, second, tmp_path, at):
    """Whatever was not yet written is made again, to the same rows."""
    out = tmp_path / "mixed"
    shutil.copytree(mixed.folder, out)
    (out / "join.json").unlink()
    order = ["plan.json", "listing.parquet", "shards", "manifest.json", "join.json"]
    for name in order[order.index(at) :]:
        path = out / name
        if name == "shards":
            for shard in sorted(path.glob("*"))[3:]:
                shard.unlink()
        else:
            path.unlink(missing_ok=True)
    join.join(out, [finished.folder, second.folder])
    assert read_table(out / "manifest.parquet").equals(read_table(mixed.manifest))
    assert verify.prove(load(out)).faults == []


@pytest.mark.slow
def test_a_join_that_is_killed_ten_times_comes_to_the_same(mixed, finished, second, tmp_path):
    """Killed at random, begun again: the rows are those of a join that nobody disturbed, and every byte is proven."""
    out = tmp_path / "mixed"
    code = f"""
from pathlib import Path
from pipelines import join
print("ready", flush=True)
join.join(Path({str(out)!r}), [Path({str(finished.folder)!r}), Path({str(second.folder)!r})])
"""
    begin = time.monotonic()
    join.join(tmp_path / "undisturbed", [finished.folder, second.folder])
    took = time.monotonic() - begin
    dice, begun = random.Random(4), set()
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(dice.uniform(0.0, 2 * took))
            process.kill()
        begun.add(sum(path.is_file() for path in out.rglob("*")))
    assert len(begun) > 1  # it was stopped in several places
    join.join(out, [finished.folder, second.folder])
    assert read_table(out / "manifest.parquet").equals(read_table(mixed.manifest))
    assert verify.prove(load(out)).faults == []
    assert not list(out.rglob("*.part"))


def test_where_no_link_can_be_the_bytes_are_copied(finished, second, tmp_path, monkeypatch):
    """Across disks the joined run stands for itself."""

    def refused(_source, _target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    joint = join.join(tmp_path / "out", [finished.folder, second.folder])
    assert joint.linked == 0
    assert verify.prove(load(tmp_path / "out")).faults == []


def test_what_can_be_done_with_any_run_can_be_done_with_this_one(mixed, tmp_path):
    """Replay finds the run that a pair came from; the report, an export and its card tell of both origins."""
    out = tmp_path / "mixed"
    shutil.copytree(mixed.folder, out)
    run = load(out)
    row = next(row for row in rows_of(run).values() if row["origin"] == "real" and row["clean_sha256"])
    assert replay.replay(run, row).answer == "exact"
    assert "held_out" in report.write(run).read_text()
    card = (export(run, "imagefolder") / "README.md").read_text()
    assert "patina join" in card
    assert "clean side was made by" in card
    assert "held_out" in card
    key = next(pair_id for pair_id, told in rows_of(run).items() if told["verdict"] == "keep")
    ReviewLog(out).append(reviewed(key, "ann", "reject", "unwanted"))
    select.select(run)
    assert rows_of(run)[key]["reason"] == "reviewed_out"
    assert sum(told["reason"] == "held_out" for told in rows_of(run).values())


def test_trainers_mix_the_origins(mixed):
    """PairDataset and MixSampler read one run as they read two: none real at first, then eight of ten."""
    pytest.importorskip("torch", reason="pip install 'patina[train]'")
    from manifests import Augment, MixSampler, PairDataset

    pairs = PairDataset(mixed.folder, split="train", augment=Augment(crop=64))
    assert len(pairs) == sum(row["verdict"] == "keep" and row["split"] == "train" for row in rows_of(mixed).values())
    origins = pairs.column("origin")
    picks = list(MixSampler(pairs, 10, mix={0: (10, 0), 5: (2, 8)}, steps=10))
    assert [sum(origins[row] == "real" for row, _ in batch) for batch in picks] == [0] * 5 + [8] * 5
    assert pairs[0]["clean"].shape == (3, 64, 64)


def test_a_joined_run_can_be_joined(mixed, tmp_path, photos):
    """Names of shards stay apart, and the proofs hold."""
    third = make(tmp_path / "third", photos / "rocket.jpg", recipe(seed=77, tasks={"haze": {}}, split={"train": 1.0}, variants=2))
    join.join(tmp_path / "all", [mixed.folder, third.folder])
    run = load(tmp_path / "all")
    assert verify.prove(run).faults == []
    assert books(run).closed
    row = next(row for row in rows_of(run).values() if row["shard"].startswith("train-mixed-web_run-") and row["clean_sha256"])
    assert replay.replay(run, row).answer == "exact"


def test_what_cannot_be_joined_is_refused(finished, second, scratch, mixed, tmp_path):
    """The same pairs twice, one run alone, an unfinished or damaged one, and a folder that is something else."""
    with pytest.raises(RunError, match="same pairs of the same photos"):
        join.join(tmp_path / "a", [finished.folder, scratch.folder])
    with pytest.raises(RunError, match="at least two"):
        join.join(tmp_path / "b", [finished.folder])
    with pytest.raises(RunError, match="joined once"):
        join.join(tmp_path / "b", [finished.folder, finished.folder])
    with pytest.raises(RunError, match="joined from others"):
        join.join(mixed.folder, [second.folder, finished.folder])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        join.join(tmp_path / "full", [finished.folder, second.folder])
    shard = next((scratch.folder / "shards").glob("*.parquet"))
    shard.rename(tmp_path / shard.name)
    select.select(scratch)
    with pytest.raises(RunError, match="not finished"):
        join.join(tmp_path / "c", [scratch.folder, second.folder])
    with open(scratch.manifest, "ab") as file:
        file.write(b"x")
    with pytest.raises(CorruptRun, match="not what was committed"):
        join.join(tmp_path / "c", [scratch.folder, second.folder])


def test_the_command_tells_what_it_did_and_a_recipe_cannot_pretend(finished, second, tmp_path):
    """`patina join` counts by origin and by move; `joined` in a recipe is refused."""
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["join", str(out), str(finished.folder), str(second.folder)])
    assert done.exit_code == 0, done.output
    assert "real" in done.stdout
    assert "held_out (train -> test)" in done.stdout
    (tmp_path / "page.yaml").write_text("joined: {a: b}\n")
    with pytest.raises(RecipeError, match="patina join"):
        load_recipe(tmp_path / "page.yaml")


def test_groups_link_across_runs_and_second_photos_count():
    """One group name in two runs is one family; a train pair whose second photo is tested elsewhere cannot stay."""
    index = pa.table({"sha256": ["a", "b"], "extra": [[("group", "lake")], []], "cluster": pa.nulls(2, pa.string()), "thumbnail": pa.nulls(2, pa.binary())})
    other = pa.table({"sha256": ["c", None], "extra": [[("group", "lake")], []], "cluster": pa.nulls(2, pa.string()), "thumbnail": pa.nulls(2, pa.binary())})
    family = held_out.families({"one": index, "two": other})
    assert family == {"a": "a", "b": "b", "c": "a"}
    homes = held_out.Homes(family)
    homes.add("one", ["train", "val"], [["a", "x"], ["b"]])
    homes.add("two", ["test", "train"], [["x"], ["c", "b"]])
    assert homes.moved("train", ["a", "x"]) == held_out.Moved("test", "two", "x")
    assert homes.moved("train", ["c", "b"]) == held_out.Moved("val", "one", "b")
    assert homes.moved("train", ["c"]) is None
    assert sorted(["train", "extra", "val", "test"], key=held_out.distance) == ["test", "val", "extra", "train"]
