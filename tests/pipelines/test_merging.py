"""Merging photos of one scene, with the truth known: what it gains, and what it must not do."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from shaken import ISO, SIDE, shots, views

from benchmarks import burst_gain
from degrade import camera
from filters.registration.similarity import Similarity
from pipelines.makers.merging import exposures, held, merge, placing, scene, trust
from pipelines.makers.merging.placing import Box


@pytest.fixture(scope="module")
def seen():
    """Eight views of a real photo by a hand that is not quite still, without noise."""
    return views()


def test_a_merge_gains_what_averaging_allows(seen):
    """Eight frames come within 1.5 dB of 9 dB over one frame, and two within 0.5 of 3."""
    truth, frames = burst_gain.levels(seen[0]), shots(seen)
    single = burst_gain.psnr(truth, frames[0])
    for count, slack in ((2, 0.5), (8, 1.5)):
        assert burst_gain.psnr(truth, burst_gain.merge(frames[:count])) > single + 10 * math.log10(count) - slack


def test_detail_finer_than_pixels_is_not_averaged_away():
    """Of grass through a lens that is too sharp the merge gains where plain merging loses, and hardly loses where noise is nearly nothing."""
    from skimage import data

    views = burst_gain.views(np.ascontiguousarray(data.grass()[:, :, None].repeat(3, 2)), 6, SIDE, "grass", 0.0)
    truth, gains = burst_gain.levels(views[0]), {}
    for kind, hold in (("held", True), ("plain", False)):
        for iso in (50.0, ISO):
            frames = shots(views, iso=iso)
            gains[kind, iso] = burst_gain.psnr(truth, burst_gain.merge(frames, hold=hold)) - burst_gain.psnr(truth, frames[0])
    assert gains["plain", 50.0] < -8
    assert gains["held", 50.0] > -2.5
    assert gains["plain", ISO] < 0.5
    assert gains["held", ISO] > 1.5


def test_noise_is_told_from_aliased_detail():
    """What noise gives to a difference is found to a fifth, though it is buried in what detail gives everywhere but in a few places."""
    rng = np.random.default_rng(0)
    levels = np.repeat(np.linspace(0.1, 0.8, 256, dtype=np.float32)[None], 256, 0)
    detail = np.full((256, 256), 0.1, np.float32)
    detail[::16] = 0.001  # one place in sixteen is flat, and none of the darkest
    detail[:, :20] = 0.1
    texture = detail * rng.gamma(4, 0.25, detail.shape).astype(np.float32)
    energy = (1e-4 + 0.1 * texture) * rng.gamma(36, 1 / 36, detail.shape).astype(np.float32)
    found = held.noise(energy, texture, levels)
    assert np.median(energy) > 50 * 1e-4
    assert found[:, 40:] == pytest.approx(1e-4, rel=0.2)
    assert found[:, :20].max() < 2e-4


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


def test_what_one_exposure_clips_another_tells(seen):
    """Light beyond the white of a bright photo is that of the darker one, brought to the photo's exposure."""
    light = seen[0].copy()
    light[80:110, 80:110] = 0.9
    frames = [burst_gain.by_sensor(light, 100.0, ev, seed) for seed, ev in enumerate((0.0, -2.0))]
    bright = burst_gain.by_sensor(4 * light, 100.0, 0.0, 7)
    own, others = scene.frame(frames[1]), [scene.compared(scene.frame(frames[1]), scene.frame(one)) for one in (frames[0], bright)]
    merged, _ = scene.merged(own.pixels, others, Box(0, 0, SIDE, SIDE))
    assert merged[85:105, 85:105].mean() == pytest.approx(0.225, rel=0.02)


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
