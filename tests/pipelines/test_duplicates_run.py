"""A run whose inputs hold copies: families stay in one split, benchmarks stay out, and the books close."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_run import recipe

from degrade.errors import Reason, RecipeError, RunError
from manifests import commit, scores
from manifests.schema import PLAN
from pipelines import build, index, plan
from pipelines.draw import draw_rows
from pipelines.duplicates import meaning, settle
from pipelines.duplicates.pages import DuplicatesRecipe
from pipelines.engine import Engine, Options
from pipelines.photos.sources import Source
from pipelines.recipe import parse
from pipelines.run import Run, create

NAMES = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png", "hubble_deep_field.jpg", "motorcycle_left.png")
LIMITS = {"min_short_side": 128, "max_noise_sigma": 99.0, "max_blockiness": 99.0, "min_jpeg_quality": 0.0, "min_sharpness": 0.0, "max_black": 1.0}
PAGE = {
    "index": {"limits": LIMITS},
    "split": {"train": 0.5, "test": 0.5},
    "variants": 1,
    "crop": {"size": 64},
    "tasks": {"noise": {}},
}


def written(folder: Path, name: str, photo: np.ndarray, quality: int = 90) -> None:
    """Write a photo as its ending says."""
    folder.mkdir(exist_ok=True)
    flag = cv2.IMWRITE_WEBP_QUALITY if name.endswith(".webp") else cv2.IMWRITE_JPEG_QUALITY
    assert cv2.imwrite(str(folder / name), photo, [flag, quality] if name.endswith(("jpg", "webp")) else [])


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """`ours` holds six photos, `theirs` an exact copy and five others: encoded again, smaller, cropped, larger."""
    from skimage import data

    folder = tmp_path_factory.mktemp("sources")
    photos = {}
    for name in NAMES:
        photo = cv2.imread(str(Path(data.__file__).parent / name))
        photos[Path(name).stem] = photo = cv2.resize(photo, None, fx=400 / photo.shape[1], fy=400 / photo.shape[1], interpolation=cv2.INTER_AREA)
        written(folder / "ours", f"{Path(name).stem}.png", photo)
    theirs = folder / "theirs"
    theirs.mkdir()
    shutil.copy(folder / "ours" / "chelsea.png", theirs / "cat.png")
    written(theirs, "astronaut_again.jpg", photos["astronaut"], 60)
    written(theirs, "astronaut_cropped.webp", photos["astronaut"][16:, 8:-12], 70)
    written(theirs, "coffee_small.jpg", cv2.resize(photos["coffee"], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    written(theirs, "rocket_large.jpg", cv2.resize(photos["rocket"], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    written(theirs, "hubble.jpg", photos["hubble_deep_field"][5:-9, 15:], 55)
    return folder


def of_one_photo(name: str) -> str:
    """The photo that a file shows."""
    known = {"cat": "chelsea", "hubble": "hubble_deep_field"}
    return known.get(name) or next((photo for photo in ("astronaut", "coffee", "rocket") if photo in name), name)


@pytest.fixture(scope="module")
def guard(sources, tmp_path_factory) -> Path:
    """A benchmark: two images that are near copies of photos of `ours`, and one that is the same bytes."""
    folder = tmp_path_factory.mktemp("benchmark")
    for name in ("cat.png", "hubble.jpg"):
        shutil.copy(sources / "theirs" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(sources, guard, tmp_path_factory) -> Run:
    """A whole run of both sources, with a guard list."""
    given = tuple(Source(path=str(sources / name)) for name in ("ours", "theirs"))
    run = create(tmp_path_factory.mktemp("built") / "run", recipe(**PAGE, duplicates={"guard": str(guard)}), "", given)
    with Engine(Options("serial")) as machine:
        build.build(run, given, machine)
    return run


def rows_of(run: Run) -> dict[str, dict]:
    """Index rows by the stem of the file."""
    return {Path(row["uri"]).stem: row for row in commit.read_table(run.index).to_pylist()}


def settled(run: Run, guarded: list[dict] | None = None, groups: bool = False, **page) -> dict[str, dict]:
    """The rows of a run as another page of the recipe would settle them."""
    rows = sorted(rows_of(run).values(), key=lambda row: row["uri"])
    for row in rows:
        row |= {"verdict": "keep", "reason": None, "detail": None, "cluster": None}
        row["extra"] = [("group", Path(row["uri"]).parent.name)] if groups else []
    settle.settle(rows, DuplicatesRecipe(**page), guarded or [])
    return {Path(row["uri"]).stem: row for row in rows}


def refused(rows: dict[str, dict]) -> dict[str, dict]:
    """Those that are refused."""
    return {name: row for name, row in rows.items() if row["verdict"] == "reject"}


def test_the_books_of_a_run_with_copies_close(built, guard):
    """Every input is a photo or refused, images of the guard list and their copies by name, and no pair shows one."""
    out = refused(rows_of(built))
    assert build.books(built).closed
    assert build.books(built).photos_refused == {"benchmark": 3, "duplicate": 1}
    assert set(out) == {"chelsea", "cat", "hubble", "hubble_deep_field"}
    assert out["chelsea"]["detail"] == f"the same bytes as {guard / 'cat.png'} of the guard list"
    assert out["hubble_deep_field"]["detail"].startswith(f"looks like {guard / 'hubble.jpg'} of the guard list")
    shown = {of_one_photo(Path(uri).stem) for uri in commit.read_table(built.manifest, ["photo_uri"]).column("photo_uri").to_pylist()}
    assert shown == {"astronaut", "coffee", "rocket", "motorcycle_left"}


def test_no_family_is_in_two_splits(built):
    """Whatever the seed, all copies of a photo are planned for one split."""
    usable, used = plan.photos(built), set()
    for seed in range(20):
        splits = defaultdict(set)
        for row in draw_rows(recipe(**PAGE, seed=seed), usable):
            splits[of_one_photo(Path(row[PLAN.names.index("photo_uri")]).stem)].add(row[PLAN.names.index("split")])
        assert all(len(found) == 1 for found in splits.values())
        used |= {tuple(sorted((name, *found) for name, found in splits.items()))}
    assert len(used) > 5


def test_a_family_is_named_by_its_smallest_hash(built):
    """Three copies of one photo share a name that is in one of them; a photo without copies has none."""
    rows = rows_of(built)
    family = [rows[name] for name in ("astronaut", "astronaut_again", "astronaut_cropped")]
    assert {row["cluster"] for row in family} == {min(row["sha256"] for row in family)}
    assert rows["motorcycle_left"]["cluster"] is None
    assert len({row["cluster"] for row in rows.values() if row["cluster"]}) == 3  # astronaut, coffee, rocket


def test_near_copies_may_be_refused_by_name(built):
    """`near: refuse` keeps the largest of each family, and the others say which."""
    rows = settled(built, near="refuse")
    out = refused(rows)
    assert rows.keys() - out.keys() == {"astronaut", "coffee", "rocket_large", "hubble_deep_field", "motorcycle_left", "chelsea"}
    assert {row["reason"] for row in out.values()} == {str(Reason.DUPLICATE)}
    assert out["rocket"]["detail"] == f"a near copy of {rows['rocket_large']['uri']}, which is 800x534"
    assert out["cat"]["detail"] == f"the same bytes as {rows['chelsea']['uri']}"


def test_clips_are_never_refused_for_their_first_frame(built):
    """Two clips may begin alike and go on differently: they are kept together, and both stay."""
    rows = sorted(rows_of(built).values(), key=lambda row: row["uri"])
    for row in rows:
        row |= {"verdict": "keep", "reason": None, "kind": "clip"}
    settle.settle(rows, DuplicatesRecipe(near="refuse"), [])
    assert [Path(row["uri"]).stem for row in rows if row["verdict"] == "reject"] == ["cat"]


def test_a_photo_that_came_in_two_groups_holds_both_together(built):
    """Groups that share a copy are one family, though the copy itself is refused."""
    rows = settled(built, groups=True, near="refuse")
    assert {row["cluster"] for row in rows.values()} == {min(row["sha256"] for row in rows.values())}


def test_a_row_that_was_refused_before_takes_no_part(built):
    """A photo that is no good links nothing and is not called a copy, not even of its own bytes."""
    rows = sorted(rows_of(built).values(), key=lambda row: row["uri"])
    for row in rows:
        bad = Path(row["uri"]).stem in {"astronaut_again", "cat", "chelsea"}
        row |= {"verdict": "reject" if bad else "keep", "reason": "too_soft" if bad else None, "cluster": None, "thumbnail": None if bad else row["thumbnail"]}
    settle.settle(rows, DuplicatesRecipe(near="refuse"), [])
    found = {Path(row["uri"]).stem: row for row in rows}
    assert {found[name]["reason"] for name in ("astronaut_again", "cat", "chelsea")} == {"too_soft"}
    assert found["astronaut_again"]["cluster"] is None
    assert found["astronaut_cropped"]["reason"] == str(Reason.DUPLICATE)


def test_a_guard_list_that_changed_is_refused(built, guard, sources, tmp_path):
    """Going on with another list than the run began with ends with the difference."""
    shutil.copytree(built.folder, tmp_path / "run")
    run = replace(built, folder=tmp_path / "run")
    written(guard, "another.png", np.zeros((64, 64, 3), np.uint8))
    try:
        with Engine(Options("serial")) as machine, pytest.raises(RunError, match=r"guard list of .* has changed(.|\n)*\+ .*another"):
            index.index(run, tuple(Source(path=str(sources / name)) for name in ("ours", "theirs")), machine)
    finally:
        (guard / "another.png").unlink()


@pytest.mark.slow
def test_neither_the_order_of_sources_nor_the_workers_can_be_seen(sources, tmp_path):
    """Sources the other way round, and two Ray workers instead of one process, give the same index and the same pairs."""
    tables = []
    for at, (order, options) in enumerate(((("ours", "theirs"), Options("serial")), (("theirs", "ours"), Options("ray", 2)))):
        given = tuple(Source(path=str(sources / name)) for name in order)
        run = create(tmp_path / str(at), recipe(**PAGE), "", given)
        with Engine(options) as machine:
            build.build(run, given, machine)
        tables.append((commit.read_table(run.index), commit.read_table(run.manifest, ["pair_id", "split", "shard", "degraded_sha256"])))
    assert tables[0][0].equals(tables[1][0])
    assert tables[0][1].equals(tables[1][1])


def test_a_guarded_image_that_cannot_be_read_stops_the_run(sources, tmp_path):
    """What cannot be opened cannot be kept out, so the run names it and ends."""
    folder = tmp_path / "benchmark"
    folder.mkdir()
    (folder / "broken.jpg").write_bytes((sources / "theirs" / "hubble.jpg").read_bytes()[:900])
    given = (Source(path=str(sources / "ours")),)
    for guard, said in ((folder, r"duplicates\.guard(.|\n)*broken\.jpg"), (tmp_path / "nowhere", "no such file")):
        run = create(tmp_path / f"run {guard.name}", recipe(**PAGE, duplicates={"guard": [str(guard)]}), "", given)
        with Engine(Options("serial")) as machine, pytest.raises(RecipeError, match=said):
            index.index(run, given, machine)


def test_photos_of_one_meaning_stay_together(built, tmp_path):
    """With `semantic`, photos whose vectors agree are one family; without vectors the plan says how to get them."""
    shutil.copytree(built.folder, tmp_path / "run")
    run, rows = replace(built, folder=tmp_path / "run", recipe=recipe(**PAGE, duplicates={"semantic": 0.9})), rows_of(built)
    with pytest.raises(RunError, match=r"patina score .* --on photos --only clip"):
        meaning.joined(run, plan.photos(run))
    angles = {"coffee": 0.0, "motorcycle_left": 0.2, "rocket": 0.4, "astronaut": 2.0, "astronaut_again": 3.0, "astronaut_cropped": 4.0, "coffee_small": 5.0}
    told = [{"key": rows[name]["sha256"], "vectors": {"image": np.array([np.cos(angle), np.sin(angle)])}} for name, angle in angles.items()]
    told.append({"key": rows["rocket_large"]["sha256"], "reason": str(Reason.TIMED_OUT), "detail": "no answer"})
    commit.write_json(scores.identity_path(run.folder, "clip", "photos"), {"measures": [], "fingerprint": "f"})
    scores.write(scores.shard_path(run.folder, "clip", "photos", "00000"), told, [], {"fingerprint": "f"})
    clusters = {Path(photo.uri).stem: photo.cluster for photo in meaning.joined(run, plan.photos(run))}
    alike = {"coffee", "coffee_small", "motorcycle_left", "rocket", "rocket_large"}
    assert {name for name, cluster in clusters.items() if cluster == clusters["motorcycle_left"]} == alike
    assert clusters["motorcycle_left"] == min(rows[name]["sha256"] for name in alike)
    assert clusters["astronaut"] == rows["astronaut"]["cluster"]


def test_an_index_of_before_is_told_to_be_made_again(built, tmp_path):
    """An index without families is refused in words, not read as one that has none; a plan that is there stays good."""
    shutil.copytree(built.folder, tmp_path / "run")
    run = replace(built, folder=tmp_path / "run")
    commit.write_table(run.index, commit.read_table(run.index).drop_columns(["thumbnail", "cluster"]), {"fingerprint": run.fingerprint})
    assert plan.plan(run)["planned"]
    run.plan_record.unlink()
    with pytest.raises(RunError, match="older Patina"):
        plan.plan(run)


def test_a_page_about_duplicates_is_checked():
    """Words and numbers that cannot be meant are refused with what is valid; a path is remembered from any folder."""
    page = {"tasks": {"noise": {}}}
    for wrong, said in (({"near": "drop"}, "keep_together"), ({"semantic": 2}, "semantic"), ({"nere": "refuse"}, "did you mean `near`")):
        with pytest.raises(RecipeError, match=said):
            parse({**page, "duplicates": wrong})
    found = parse({**page, "duplicates": {"guard": "some/where"}}).duplicates.guard
    assert Path(found[0].path).is_absolute()
