"""An export is whole or absent, the same however often it was interrupted, and shares its pictures with other exports."""

from __future__ import annotations

import shutil

import pytest
from crafted_run import craft, write_manifest

from degrade.errors import CorruptRun, RecipeError, RunError
from manifests.commit import read_table
from manifests.export import export
from manifests.formats import FORMATS
from manifests.shards import tar_path
from pipelines.export import export as verb
from pipelines.export import wanted


def contents(folder):
    """Every file of a folder, with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def run(tmp_path):
    craft(tmp_path / "run")
    return tmp_path / "run"


def to(run, name, **options):
    return export(run, run / "manifest.parquet", name, **options)


def test_a_format_is_called_as_it_is_listed():
    """The table of files and the files themselves agree about names."""
    assert {name: made.name for name, made in FORMATS.items()} == {name: name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_running_again_changes_nothing(run, tmp_path, name):
    """A second export leaves every file as it is, and an export elsewhere has the same bytes, but for paths it must name."""
    folder = to(run, name)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert to(run, name) == folder
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    craft(tmp_path / "other")
    there, here = contents(to(tmp_path / "other", name)), contents(folder)
    if FORMATS[name].bound:
        here = {path: data.replace(bytes(run), bytes(tmp_path / "other")) for path, data in here.items()}
    for record in (here, there):
        record.pop("export.json")
    assert here == there


@pytest.mark.parametrize("name", ["imagefolder", "webdataset", "parquet"])
def test_an_interrupted_export_goes_on(run, tmp_path, name):
    """What was finished before the interruption stays, what was half written does not, and the end is the same."""
    shutil.copytree(run, tmp_path / "undisturbed")
    tar = tar_path(run, "train-00000")  # rows of the split `test` come first
    whole = tar.read_bytes()
    tar.write_bytes(whole[:2000] + bytes(len(whole) - 2000))
    with pytest.raises(CorruptRun, match="patina verify"):
        to(run, name)
    assert not (run / "export" / name).exists()
    tar.write_bytes(whole)
    begun = run / "export" / f".{name}.part"
    done = {path.stat().st_ino for path in begun.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert done
    (begun / ".x.tar.0123456789ab.part").write_bytes(b"left by a kill")
    for picture in sorted(begun.rglob("*.png"))[:1]:
        done.discard(picture.stat().st_ino)
        picture.write_bytes(picture.read_bytes()[:100])
    folder = to(run, name)
    assert contents(folder) == contents(to(tmp_path / "undisturbed", name))
    assert done <= {path.stat().st_ino for path in folder.rglob("*")}
    assert [path.name for path in folder.parent.iterdir()] == [name]


def test_a_new_selection_replaces_the_old_one(run):
    """A pair that fell leaves the export; pictures that stay are not written again."""
    folder = to(run, "imagefolder")
    inodes = {path.name: path.stat().st_ino for path in folder.rglob("train/clean/*.png")}
    rows = read_table(run / "manifest.parquet").to_pylist()
    fallen = next(row for row in rows if row["split"] == "train")
    write_manifest(run, [{**row, "verdict": "reject"} if row is fallen else row for row in rows])
    assert to(run, "imagefolder") == folder
    after = {path.name: path.stat().st_ino for path in folder.rglob("train/clean/*.png")}
    assert after == {name: inode for name, inode in inodes.items() if not name.startswith(fallen["pair_id"])}


def test_pictures_are_on_the_disk_once(run):
    """Exports with picture files share them by hard links, and an edited one is not taken over."""
    first = to(run, "imagefolder")
    victim = next(first.rglob("test/clean/*.png"))
    victim.write_bytes(b"edited in place")
    second = to(run, "ai-toolkit")
    shared = {path.stat().st_ino for path in first.rglob("*/degraded/*")}
    assert shared == {path.stat().st_ino for path in second.rglob("*/control/*")}
    assert (second / "test" / "target" / victim.name).stat().st_ino != victim.stat().st_ino
    assert len({path.stat().st_ino for path in second.rglob("train/target/*.png")}) == 3  # four pairs, two with one clean side


def test_a_moved_run_names_its_new_place(run, tmp_path):
    """Step1X-Edit's absolute paths follow the run; the pictures are linked from where they were."""
    to(run, "step1x-edit")
    moved = run.rename(tmp_path / "moved")
    text = (to(moved, "step1x-edit") / "train" / "metadata.json").read_text()
    assert str(moved) in text
    assert str(run) + "/" not in text


def test_prompts_come_in_two_languages(run):
    """The one prompt that a trainer sees is in the language that was asked for."""
    assert "去除噪点。" in (to(run, "diffsynth", language="zh") / "test" / "metadata.json").read_text(encoding="utf-8")
    assert "Remove the noise." in (to(run, "diffsynth") / "test" / "metadata.json").read_text(encoding="utf-8")


def test_nothing_to_export_is_an_error(run):
    """A manifest without a kept pair says what to do."""
    write_manifest(run, [{**row, "verdict": "reject"} for row in read_table(run / "manifest.parquet").to_pylist()])
    with pytest.raises(RunError, match="widen"):
        to(run, "basicsr")


def test_two_columns_of_one_name_are_an_error(run):
    """A list whose columns would collide is refused, not silently overwritten."""
    rows = read_table(run / "manifest.parquet").to_pylist()
    write_manifest(run, [{**row, "extra": [("sha256", "mine")]} for row in rows])
    with pytest.raises(RunError, match="rename it in the list"):
        to(run, "imagefolder")


def test_the_verb_tells_the_recipe_and_the_nearest_format(scratch):
    """A mistyped format is refused with the nearest one; a finished run's card cites what was simulated."""
    with pytest.raises(RecipeError, match="did you mean `diffsynth`"):
        verb(scratch, "difsynth")
    assert "Koschmieder" in (verb(scratch, "basicsr") / "README.md").read_text(encoding="utf-8")
    assert wanted(scratch) == []
    scratch.manifest.unlink()
    with pytest.raises(RunError, match="patina select"):
        verb(scratch, "basicsr")
