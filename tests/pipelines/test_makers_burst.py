"""Bursts and brackets with a known truth: what merging gains, what it must not do, and how scenes are found."""

from __future__ import annotations

import io
import math
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from benchmarks import burst_gain
from degrade import camera
from degrade.errors import BadSample, Reason
from filters.registration.similarity import Similarity
from manifests import png
from pipelines import crops
from pipelines.crops import Crop
from pipelines.makers import burst
from pipelines.makers.burst import BurstSettings
from pipelines.makers.contract import Order
from pipelines.makers.merging import exposures, merge, placing, scene, trust
from pipelines.makers.merging.placing import Box
from pipelines.photos import uris

SIDE = 192
ISO = 1600.0


@pytest.fixture(scope="module")
def seen():
    """Eight views of a real photo by a hand that is not quite still, without noise."""
    from skimage import data

    photo = np.ascontiguousarray(data.coffee()[:400, 100:500])
    large = cv2.resize(photo, (2 * (SIDE + 64),) * 2, interpolation=cv2.INTER_CUBIC)
    return burst_gain.views(large, 8, SIDE, "coffee")


def shots(seen, ev=0.0, iso=ISO):
    return [burst_gain.by_sensor(view, iso, ev, 100 * index) for index, view in enumerate(seen)]


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
    return burst.open_maker(settings, None).make(orders)


def test_a_merge_gains_what_averaging_allows(seen):
    """Eight frames come within 1.5 dB of 9 dB over one frame, and two within 0.5 of 3."""
    truth, frames = burst_gain.levels(seen[0]), shots(seen)
    single = burst_gain.psnr(truth, frames[0])
    for count, slack in ((2, 0.5), (8, 1.5)):
        assert burst_gain.psnr(truth, burst_gain.merge(frames[:count])) > single + 10 * math.log10(count) - slack


def test_what_moves_leaves_no_ghost(seen):
    """Where a thing is in one frame only, the merge is no farther from the truth than the frame; a plain mean is, by far."""
    thing = np.zeros((24, 24, 3), np.float32) + np.array([0.02, 0.3, 0.05], np.float32)
    shown, where = burst_gain.crossed(seen, thing)
    truth, frames = burst_gain.levels(shown[0]), shots(shown)
    single = burst_gain.ghost(truth, frames[0], where)
    assert burst_gain.ghost(truth, burst_gain.merge(frames), where) < single + 2
    assert burst_gain.ghost(truth, burst_gain.mean(frames), where) > single + 20


def test_a_turn_out_of_the_plane_is_followed(seen):
    """What bends the picture smoothly is undone to a tenth of a pixel, where one similarity leaves a quarter."""
    photo = camera.to_srgb(seen[0])
    across, down = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    bend = 6 * (down / SIDE - 0.5) * (across / SIDE - 0.5)
    other = cv2.remap(photo, across - bend, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    box, inner = Box(0, 0, SIDE, SIDE), slice(16, -16)

    def off(place):
        back = cv2.remap(across - bend, *place.maps(box), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # x of the photo, looked up in the other
        return float(np.abs(back - across)[inner, inner].mean())

    found = placing.found(photo, other, other_is_quieter=False)
    assert off(placing.Place(found.matrix(SIDE, SIDE), *[np.zeros((1, 1), np.float32)] * 2)) > 0.2
    for quieter in (False, True):
        assert off(placing.placed(photo, other, found, box, other_is_quieter=quieter)) < 0.1


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


def test_what_one_exposure_clips_another_tells(seen):
    """Light beyond the white of a bright photo is that of the darker one, brought to the photo's exposure."""
    light = seen[0].copy()
    light[80:110, 80:110] = 0.9
    frames = [burst_gain.by_sensor(light, 100.0, ev, seed) for seed, ev in enumerate((0.0, -2.0))]
    bright = burst_gain.by_sensor(4 * light, 100.0, 0.0, 7)
    own, others = scene.frame(frames[1]), [scene.compared(scene.frame(frames[1]), scene.frame(one)) for one in (frames[0], bright)]
    merged, _ = scene.merged(own.pixels, others, Box(0, 0, SIDE, SIDE))
    assert merged[85:105, 85:105].mean() == pytest.approx(0.225, rel=0.02)


def test_a_crop_is_merged_as_it_was_cut(seen, tmp_path):
    """A box, shrunk, gets a reference of its own size that shows the same."""
    frames = shots(seen[:4])
    paths = written(tmp_path / "scene", frames)
    crop = Crop(30, 20, 120, 150, 60, 75)
    truth = crops.cut(camera.to_srgb(seen[0]), crop).astype(np.float64)
    (small,) = made(BurstSettings(), order(paths[0], frames[0], crop=crop))
    assert small.shape == (75, 60, 3)
    assert np.abs(small - truth).mean() < 0.62 * np.abs(crops.cut(frames[0], crop) - truth).mean()


def test_tiles_join_without_a_seam(seen, monkeypatch):
    """A merge in tiles is a merge in one piece, but for what each tile learns of its noise."""
    frames = shots(seen[:3])
    own = scene.frame(frames[0])
    others = [scene.compared(own, scene.frame(one)) for one in frames[1:]]
    whole, _ = scene.merged(frames[0], others, Box(0, 0, SIDE, SIDE))
    monkeypatch.setattr(scene, "TILE_PX", 100)
    tiled, _ = scene.merged(frames[0], others, Box(0, 0, SIDE, SIDE))
    difference = np.abs(camera.to_srgb(tiled).astype(int) - camera.to_srgb(whole))
    assert difference.mean() < 0.5
    assert difference[:, 94:98].mean() < difference.mean() + 0.2


def test_a_tone_curve_is_refused(seen):
    """Photos that no factor in linear light makes alike are not merged."""
    dark = burst_gain.by_sensor(seen[0], 100.0, -2.0, 1)
    steps = np.arange(256) / 255
    curved = cv2.LUT(burst_gain.by_sensor(seen[1], 100.0, 0.0, 2), np.rint(255 * steps * steps * (3 - 2 * steps)).astype(np.uint8))
    assert "tone curve" in scene.compared(scene.frame(dark), scene.frame(curved))


@pytest.mark.parametrize("ev", [-2.0, 0.0, 1.0])
def test_exposures_are_compared_to_a_hundredth(seen, ev):
    """The factor between two noisy photos of one scene is found to a hundredth of a stop."""
    photo, other = burst_gain.by_sensor(seen[0] / 4, 400.0, 0.0, 1), burst_gain.by_sensor(seen[0] / 4, 400.0, ev, 2)
    gain = exposures.compared(exposures.blocks(photo), exposures.blocks(other), Similarity())
    assert gain.ev == pytest.approx(ev, abs=0.01)


def test_noise_is_measured_from_the_photos():
    """Shot and read noise are fitted from how two photos of one scene differ, whatever a third of them shows."""
    light = np.repeat(np.linspace(0.02, 0.8, 256, dtype=np.float32)[None, :, None], 256, 0).repeat(3, 2)
    rng = np.random.default_rng(0)
    photo, other = (light + rng.normal(size=light.shape).astype(np.float32) * np.sqrt(0.002 * light + 1e-4) for _ in range(2))
    other[:80] = 0.5
    told = trust.trust(photo.astype(np.float32), other.astype(np.float32), np.ones(3, np.float32))
    sensor = merge.fitted([(np.ones(3, np.float32), told.noise)])
    assert sensor.shot == pytest.approx(0.002, rel=0.3)
    assert told.share[120:].mean() > 0.9
    assert told.share[20:60, :200].mean() < 0.2


@pytest.mark.parametrize(("shot", "read"), [(1e-3, 1e-9), (1e-9, 1e-4)])
def test_weights_are_those_of_least_noise(shot, read):
    """Two exposures, limited by photons or by electronics, merge to the least variance that weights can give."""
    light, gains, rng = 0.05, np.array([1.0, 8.0], np.float32), np.random.default_rng(1)
    photos, exact = [], 0.0
    for gain in gains:
        variance = shot * gain * light + read
        recorded = gain * light + math.sqrt(variance) * rng.normal(size=(SIDE, SIDE, 3))
        photos.append(merge.Exposure(recorded.astype(np.float32), np.full(3, gain), np.ones((SIDE, SIDE), np.float32)))
        exact += gain**2 / variance
    merged = merge.merged(photos, merge.Sensor(shot, read))
    assert merged.mean() == pytest.approx(light, rel=1e-3)
    assert merged.std() == pytest.approx(exact**-0.5, rel=0.02)


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
        assert [Path(uri) for uri in maker._uris(order(paths[at], shots(seen[:1])[0]))] == [paths[index] for index in expected]


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
