"""One command, real photos: the books close, and the bytes do not depend on who did the work."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from small_run import PAGE, make, recipe

from degrade.errors import RecipeError, RunError, TooManyRejects
from manifests.commit import read_table
from pipelines import build as building
from pipelines.photos.sources import Source
from pipelines.run import Run, begun, create


def bytes_of(run: Run) -> list[tuple[str, ...]]:
    """Everything that must not depend on the machine: pairs, verdicts, and the hash of every picture."""
    names = ["pair_id", "shard", "verdict", "reason", "clean_sha256", "degraded_sha256", "clean_offset", "degraded_offset"]
    return [tuple(map(str, row.values())) for row in read_table(run.manifest, names).to_pylist()]


def test_the_books_close(finished):
    """Inputs = usable + refused, planned = pairs + refused, nothing pending."""
    books = building.books(finished)
    assert books.closed
    assert books.inputs == 9
    assert books.photos_refused["duplicate"] == 1
    assert sum(books.photos_refused.values()) >= 3
    assert books.planned == books.photos * PAGE["variants"]
    assert books.kept >= 20


def test_every_reject_has_a_reason(finished):
    """No row is refused without a word of the closed list."""
    for path, columns in ((finished.index, ["verdict", "reason"]), (finished.manifest, ["verdict", "reason"])):
        for row in read_table(path, columns).to_pylist():
            assert (row["verdict"] == "keep") == (row["reason"] is None)


def test_splits_do_not_share_photos(finished):
    """A photo is in one split, whatever its variants."""
    splits: dict[str, set[str]] = {}
    for row in read_table(finished.manifest, ["photo_sha256", "split"]).to_pylist():
        splits.setdefault(row["photo_sha256"], set()).add(row["split"])
    assert all(len(split) == 1 for split in splits.values())


def test_another_order_of_inputs_makes_the_same_pairs(finished, photos, tmp_path):
    """Photos under other names, in another order, give the same ids and pictures."""
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for at, path in enumerate(sorted(photos.iterdir(), reverse=True)):
        shutil.copy(path, renamed / f"{at}{path.suffix}")
    other = make(tmp_path / "run", renamed, recipe())
    assert bytes_of(other) == bytes_of(finished)


@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_bytes_of_the_serial_engine(finished, photos, tmp_path, workers):
    """One or two Ray workers and the serial engine agree on every byte."""
    assert bytes_of(make(tmp_path / "run", photos, recipe(), "ray", workers)) == bytes_of(finished)


def test_a_cluster_of_two_nodes_gives_the_same_bytes(finished, photos, tmp_path):
    """With --address, tasks go to the nodes of a Ray cluster, and nobody can see it in the result."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        run = make(tmp_path / "run", photos, recipe(), "ray", address=cluster.address)
    finally:
        cluster.shutdown()
    assert bytes_of(run) == bytes_of(finished)


def test_killed_at_random_and_resumed_it_is_the_same_run(finished, photos, tmp_path):
    """SIGKILL to the whole process tree, again and again: the final run is the undisturbed one."""
    page = tmp_path / "recipe.yaml"
    page.write_text(yaml.safe_dump(PAGE))
    command = [sys.executable, "-m", "pipelines", "build", str(page), "--out", str(tmp_path / "run"), "--input", str(photos), "--engine", "serial"]
    dice = random.Random(7)
    kills = 0
    for _ in range(12):
        job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            job.wait(timeout=dice.uniform(1.0, 4.0))
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            kills += 1
            continue
        break
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert kills > 0
    assert bytes_of(replace(finished, folder=tmp_path / "run")) == bytes_of(finished)


def test_a_changed_recipe_is_refused_with_the_difference(scratch, photos):
    """Another seed and another size on an old run folder are named, field by field."""
    changed = recipe(seed=4, crop={"size": 160, "shrink": [1.0, 3.0]})
    with pytest.raises(RunError, match=r"(?s)recipe\.crop\.size: 128 -> 160.*recipe\.seed: 3 -> 4"):
        create(scratch.folder, changed, "", (Source(path=str(photos)),))


def test_new_inputs_on_an_old_run_are_refused(scratch, photos, tmp_path):
    """A photo that came later is not silently left out."""
    from pipelines.engine import Engine, Options
    from pipelines.index import index

    grown = tmp_path / "grown"
    shutil.copytree(photos, grown)
    shutil.copy(photos / "coffee.png", grown / "late.png")
    with Engine(Options("serial")) as machine, pytest.raises(RunError, match=r"inputs of .* have changed"):
        index(scratch, (Source(path=str(grown)),), machine)


def test_a_folder_that_is_no_run_is_left_alone(tmp_path, photos):
    """Somebody's folder is not written into."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        create(tmp_path, recipe(), "", (Source(path=str(photos)),))


def test_a_mistyped_input_does_not_claim_the_folder(tmp_path, photos):
    """After a first attempt that found nothing, the same --out can be used with the right input."""
    from pipelines.engine import Engine, Options
    from pipelines.index import index

    wrong = (Source(path=str(tmp_path / "fotos")),)
    run = create(tmp_path / "run", recipe(), "", wrong)
    with Engine(Options("serial")) as machine, pytest.raises(RecipeError, match="fotos"):
        index(run, wrong, machine)
    assert create(tmp_path / "run", recipe(), "", (Source(path=str(photos)),)).folder == run.folder


def test_too_many_rejects_stop_the_job(tmp_path, photos):
    """When photos vanish one by one between index and render, the job stops and names the reason."""
    from pipelines import index, plan, render
    from pipelines.engine import Engine, Options

    fleeting = tmp_path / "fleeting"
    shutil.copytree(photos, fleeting)
    sources = (Source(path=str(fleeting)),)
    run = create(tmp_path / "run", recipe(render={"shard_pairs": 5, "reject_grace": 4, "max_reject_share": 0.2}), "", sources)
    with Engine(Options("serial")) as machine:
        index.index(run, sources, machine)
        plan.plan(run)
        for photo in fleeting.iterdir():
            photo.unlink()
        (fleeting / "notes.txt").write_text("the folder is there")
        with pytest.raises(TooManyRejects, match="missing"):
            render.render(run, machine)


def test_two_jobs_do_not_share_a_folder(finished):
    """The second job on a run is refused while the first one works."""
    from pipelines.run import locked

    with locked(finished.folder):
        begin = time.monotonic()
        answer = subprocess.run([sys.executable, "-m", "pipelines", "render", str(finished.folder)], check=False, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "another patina works" in answer.stderr
    assert time.monotonic() - begin < 30


def test_decoders_that_crash_hang_and_swell_cost_only_their_inputs(photos, tmp_path, monkeypatch):
    """Three deadly photos among healthy ones: each is named with its reason, the rest becomes pairs."""
    hostile = tmp_path / "hostile"
    shutil.copytree(photos, hostile)
    for name in ("crash", "hang", "swell"):
        (hostile / f"{name}.jpg").write_bytes((photos / "rocket.jpg").read_bytes() + f"DEADLY-{name}".encode())
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "deadly"))
    run = make(tmp_path / "run", hostile, recipe(render={"shard_pairs": 5, "deadline_s": 2.0, "memory_gb": 1.0}))
    reasons = {Path(row["uri"]).stem: row["reason"] for row in read_table(run.index, ["uri", "reason"]).to_pylist()}
    assert [reasons[name] for name in ("crash", "hang", "swell")] == ["crashed", "timed_out", "out_of_memory"]
    assert building.books(run).closed
    assert building.books(run).photos == 5


def test_a_second_job_changes_nothing_of_a_run_that_is_at_work(tmp_path, photos):
    """While a job holds its folder another recipe is refused before it writes; a stranger's folder gets not even a lock."""
    sources = (Source(path=str(photos)),)
    with begun(tmp_path / "run", recipe(), "first", sources) as run:
        before = (run.folder / "run.json").read_bytes()
        with pytest.raises(RunError, match="another patina works in"), begun(run.folder, recipe(seed=4), "second", sources):
            pass
        assert (run.folder / "run.json").read_bytes() == before
        assert (run.folder / "recipe.yaml").read_text() == "first"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"), begun(tmp_path / "own", recipe(), "", sources):
        pass
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["thesis.txt"]
