"""References made of bursts and brackets: how scenes are found, what is refused, what the reference shows."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
from pydantic import ValidationError
from real_page import PAGE
from shaken import SIDE, shots, views

from benchmarks import burst_gain
from degrade import camera
from degrade.errors import BadSample, Reason, RunError
from manifests import commit, png
from pipelines import crops
from pipelines.crops import Crop
from pipelines.makers import burst
from pipelines.makers.beside import Beside
from pipelines.makers.burst import BurstSettings
from pipelines.makers.contract import Order
from pipelines.makers.kept import Candidates
from pipelines.makers.made_of import Made
from pipelines.photos import uris
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Source
from pipelines.real import making
from pipelines.recipe import parse
from pipelines.run import create


@pytest.fixture(scope="module")
def seen():
    """Eight views of a real photo by a hand that is not quite still, without noise."""
    return views()


def written(folder: Path, photos, first=0) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"shot_{index + first}.png" for index in range(len(photos))]
    for path, photo in zip(paths, photos, strict=True):
        path.write_bytes(png.encode(photo))
    return paths


def order(path, photo, task="noise", crop: Crop | None = None, **extra: str) -> Order:
    height, width = photo.shape[:2]
    crop = crop or Crop(0, 0, width, height, width, height)
    return Order("0" * 32, crops.cut(photo, crop), task, "", 0, str(path), extra, crop)


def made(settings: BurstSettings, *orders: Order):
    return [one.picture if isinstance(one, Made) else one for one in burst.open_maker(settings, None).make(orders)]


def test_dark_frames_are_paired_with_the_well_exposed(seen, tmp_path):
    """The darkest of a bracket gets a reference as bright as the best exposed, nearer to the truth than that one alone would be."""
    frames = [burst_gain.by_sensor(view, 400.0, ev, 100 * index) for index, (view, ev) in enumerate(zip(seen, (-3.0, -2.0, -1.0, 0.0, 2.0), strict=False))]
    paths = written(tmp_path / "scene", frames)
    dark, bright, own = made(
        BurstSettings(), order(paths[0], frames[0], "low_light"), order(paths[3], frames[3], "low_light"), order(paths[0], frames[0], "noise")
    )
    truth = burst_gain.levels(seen[0])
    alone = burst_gain.psnr(truth, burst_gain.by_sensor(seen[0], 400.0, 0.0, 999))
    assert burst_gain.psnr(truth, dark) > alone + 1
    assert isinstance(bright, BadSample)
    assert bright.reason == Reason.NOT_DEGRADED
    assert "itself the best" in bright.detail
    assert burst_gain.psnr(burst_gain.levels(seen[0] / 8), own) > burst_gain.psnr(burst_gain.levels(seen[0] / 8), frames[0]) + 6


def test_a_crop_is_merged_as_it_was_cut(seen, tmp_path):
    """A box, shrunk, gets a reference of its own size that shows the same."""
    frames = shots(seen[:4])
    paths = written(tmp_path / "scene", frames)
    crop = Crop(30, 20, 120, 150, 60, 75)
    truth = crops.cut(camera.to_srgb(seen[0]), crop).astype(np.float64)
    (small,) = made(BurstSettings(), order(paths[0], frames[0], crop=crop))
    assert small.shape == (75, 60, 3)
    assert np.abs(small - truth).mean() < 0.62 * np.abs(crops.cut(frames[0], crop) - truth).mean()


def test_strangers_copies_and_broken_files_are_left_out(seen, tmp_path, astronaut):
    """What is not another photo of the scene is not merged, and if nothing is left the refusal says why, of each."""
    frames = shots(seen[:1])
    (path,) = written(tmp_path / "scene", frames)
    written(tmp_path / "scene", [frames[0], np.ascontiguousarray(astronaut[:SIDE, :SIDE]), astronaut[:100, :100]], first=1)
    (tmp_path / "scene" / "broken.png").write_bytes(path.read_bytes()[:500])
    (tmp_path / "scene" / "notes.txt").write_text("not a photo")
    (bad,) = made(BurstSettings(), order(path, frames[0]))
    assert isinstance(bad, BadSample)
    assert bad.reason == Reason.NO_CANDIDATE
    for part in ("1 of 5", "a copy", "another size", "not of one scene", "truncated"):
        assert part in bad.detail
    written(tmp_path / "scene", shots(seen[1:2], iso=400.0), first=9)
    (merged,) = made(BurstSettings(), order(path, frames[0]))
    assert merged.shape == frames[0].shape


def test_a_scene_that_moved_is_refused(seen, tmp_path):
    """Where the other photos show something else in most of the picture there is no reference."""
    frames = shots(seen[:2], iso=400.0)
    frames[1][:110] = np.roll(frames[1][:110], 60, 1)
    (path, _) = written(tmp_path / "scene", frames)
    (bad,) = made(BurstSettings(), order(path, frames[0]))
    assert isinstance(bad, BadSample)
    assert "least_merged" in bad.detail


def test_scenes_are_found_by_name_list_and_tar(seen, tmp_path):
    """One scene may be a pattern of names, a column of a list, or a folder of a tar."""
    frames = shots(seen[:3])
    paths = written(tmp_path / "mixed", frames)
    stray = written(tmp_path / "mixed", [np.full((SIDE, SIDE, 3), 90, np.uint8)], first=77)[0]
    stray.rename(stray.with_name("other_1.png"))
    by_folder, by_name = (made(settings, order(paths[0], frames[0]))[0] for settings in (BurstSettings(), BurstSettings(by="name", find=r"_\d+\.png$")))
    assert np.array_equal(by_folder, by_name)
    listed = tmp_path / "list.csv"
    listed.write_text("path,group\n" + "".join(f"{path},{'a' if index < 2 else 'b'}\n" for index, path in enumerate(paths)))
    settings = BurstSettings(by="column", photos=(str(listed),))
    two, alone, none = made(settings, order(paths[0], frames[0], group="a"), order(paths[2], frames[2], group="b"), order(paths[0], frames[0]))
    assert two.shape == frames[0].shape
    assert not np.array_equal(two, by_name)
    assert "there are no more" in alone.detail
    assert "column `group`" in none.detail
    tar = tmp_path / "bursts.tar"
    with tarfile.open(tar, "w") as archive:
        for path in paths:
            info = tarfile.TarInfo(f"burst 1/{path.name}")
            info.size = path.stat().st_size
            archive.addfile(info, io.BytesIO(path.read_bytes()))
    (from_tar,) = made(BurstSettings(), order(uris.of_member(f"burst 1/{paths[0].name}", str(tar)), frames[0]))
    assert np.array_equal(from_tar, by_name)


def test_the_nearest_names_are_merged(seen, tmp_path):
    """Of more photos than are asked for those beside the photo are taken, at the ends of the row too."""
    paths = written(tmp_path / "scene", shots(seen))
    maker = burst.open_maker(BurstSettings(most=3), None)
    for at, expected in ((0, [0, 1, 2]), (4, [3, 4, 5]), (7, [5, 6, 7])):
        assert [Path(uri) for uri in maker._uris(order(paths[at], shots(seen[:1])[0]), [])] == [paths[index] for index in expected]
    listed = tmp_path / "list.csv"
    listed.write_text("path,group\n" + "".join(f"{path},a\n" for path in paths[1:]))
    maker = burst.open_maker(BurstSettings(by="column", photos=(str(listed),), most=3), None)
    assert [Path(uri) for uri in maker._uris(order(paths[0], seen[0], group="a"), [])] == paths[:3]


def test_a_photo_is_opened_once_while_its_neighbours_are_merged(tmp_path):
    """As the window of `most` photos moves along a scene, what stays in it stays open."""

    class Counting(Beside):
        def opened(self, file):
            seen.append(file.uri)
            return super().opened(file)

    seen: list[str] = []
    frames = [np.full((64, 64, 3), level, np.uint8) for level in range(60, 69)]
    paths = written(tmp_path / "scene", frames)
    maker = burst.Burst(BurstSettings(most=4))
    maker._beside = Counting(DecodeRules())
    maker.make([order(path, frame) for path, frame in zip(paths, frames, strict=True)])
    assert sorted(seen) == [str(path) for path in paths]
    assert len(maker._open) == 4
    paths[-1].write_bytes(png.encode(frames[0]))
    del seen[:]
    maker.make([order(paths[-2], frames[-2])])
    assert seen == [str(paths[-1])]


def test_a_scene_that_changes_is_noticed(seen, tmp_path):
    """A photo of the scene that is rewritten, gone or new ends a run that has its reference; a stranger in the folder does not."""
    frames = shots(seen[:3])
    paths = written(tmp_path / "scene", frames)
    kept = Candidates(tmp_path / "shared", tmp_path / "own")
    rule = BurstSettings(by="name", find=r"_\d+\.png$")
    (told,) = burst.open_maker(rule, None).make([order(paths[0], frames[0])])
    kept.keep("ab", told, {"maker": "burst"})
    written(tmp_path / "scene", frames[:1], first=50)[0].rename(tmp_path / "scene" / "other_1.png")
    assert kept.has("ab")
    assert np.array_equal(kept.picture("ab")[0], told.picture)
    data = paths[1].read_bytes()
    for change, back in (
        (lambda: paths[1].write_bytes(data[:-1]), lambda: paths[1].write_bytes(data)),
        (paths[1].unlink, lambda: paths[1].write_bytes(data)),
        (lambda: written(tmp_path / "scene", frames[:1], first=77), (tmp_path / "scene" / "shot_77.png").unlink),
    ):
        change()
        with pytest.raises(RunError, match=r"shot_[01]\.png, which ha(s|ve) changed"):
            kept.has("ab")
        back()
        assert kept.has("ab")


class Here:
    """An engine that works in this process."""

    def serve(self, name, tasks, *_limits: object):
        work = getattr(making, name.partition(":")[2])
        return [work({"skip": {}, **task}, lambda _: None) for task in tasks]


def test_what_came_to_a_bucket_is_seen_by_the_next_task(seen, tmp_path, monkeypatch):
    """A remote folder is listed once for a task: a photo that comes to it ends a run that used it, whether that is resumed or goes on."""
    frames, bucket = shots(seen[:2]), fsspec.filesystem("memory")
    bucket.pipe({f"/bursts/shot_{at}.png": png.encode(frame) for at, frame in enumerate(frames)})
    page = {**PAGE, "real": {**PAGE["real"], "best": {}, "makers": {"merged": {"kind": "burst"}}}}
    run = create(tmp_path / "run", parse(page), json.dumps(page), (Source(path="memory://bursts"),))
    height, width = frames[0].shape[:2]
    crop = {"crop_x": 0, "crop_y": 0, "crop_width": width, "crop_height": height, "width": width, "height": height}
    place = {"photo_uri": "memory:///bursts/shot_0.png", "photo_offset": None, "photo_size": None, "photo_frame": None}
    told = [{"role": "candidate", "maker": "merged", "prompt": "", "seed": 0, "margin_px": 0}]
    row = {**place, **crop, "photo_sha256": commit.sha256(png.encode(frames[0])), "task": "noise", "extra": None, "others": json.dumps(told)}
    monkeypatch.setattr(making, "_rows", lambda _run: [row])
    assert making.make(run, run.recipe.real, Here()) == {"merged": {"": 1}}
    assert making.make(run, run.recipe.real, Here()) == {"merged": {}}
    task = {"run": str(run.folder), "name": "merged", "kind": "burst", "settings": {}, "batch": 1, "rows": [row], "skip": {}}
    for name, going_on in (("shot_2.png", lambda: making.make(run, run.recipe.real, Here())), ("shot_3.png", lambda: making.work(task, lambda _: None))):
        bucket.pipe(f"/bursts/{name}", b"")
        with pytest.raises(RunError, match=r"the photos of one scene with .* have changed"):
            going_on()
        bucket.rm(f"/bursts/{name}")
        assert making.work(task, lambda _: None) == {"": 1}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ({"by": "column"}, "needs `photos`"),
        ({"by": "name"}, "go together"),
        ({"find": "x"}, "go together"),
        ({"by": "name", "find": "("}, "find"),
        ({"mots": 3}, "most"),
    ],
)
def test_impossible_settings_are_refused(page, said):
    """A rule that cannot be meant is refused before a photo is opened."""
    with pytest.raises(ValidationError, match=said):
        BurstSettings(**page)
