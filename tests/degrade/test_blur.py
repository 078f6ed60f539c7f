"""Blur is drawn by its length, stays in place, keeps its light, and needs what it says."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import pytest

from degrade import blur, camera
from degrade.contract import STRATA, Assets, Facts, Motion, Srgb
from degrade.errors import BadSample, Reason
from degrade.motion import window
from degrade.record import from_record, to_record
from degrade.scene import depth, segments, sky
from degrade.scene.proxy import proxy
from degrade.stream import stream

KINDS = ("shake", "thing", "defocus")
CLIP = Facts(256, 192, motion=Motion(60.0, (6.0,) * 29, ((0, 29),)))


def draw(kind: str, stratum: int, key: str = "0", **ranges: object) -> blur.BlurParams:
    """Draw one kind of blur."""
    return blur.sample(stream(1, "blur", key), blur.BlurRanges(stills={kind: 1.0}, **ranges), Facts(256, 256), stratum)


def assets_of(photo: Srgb) -> Assets:
    """Return the stand-in priors of a photo."""
    small = proxy(photo)
    above = sky.sky(small)
    return Assets(depth.geometric(small, above).inverse, above, segments.superpixels(small))


def shown(photo: Srgb, params: blur.BlurParams) -> Srgb:
    """Render and look."""
    return camera.to_srgb(blur.render(camera.to_linear(photo), params, assets_of(photo)))


def detail_left(seen: Srgb, clean: Srgb, axis: int) -> float:
    """Return how much of the steps from pixel to pixel is left along an axis."""
    steps = [float(np.abs(np.diff(picture[..., 1].astype(int), axis=axis)).mean()) for picture in (seen, clean)]
    return steps[0] / steps[1]


@pytest.fixture(scope="module")
def photo(rocket: Srgb) -> Srgb:
    """A real photo, 256 x 192."""
    return cv2.resize(rocket, (256, 192), interpolation=cv2.INTER_AREA)


def test_things_move_only_where_a_network_found_them() -> None:
    """A superpixel is no thing: its share goes to shake and defocus, unless the recipe allows nothing else."""
    rolls = [
        [blur.sample(stream(1, "blur", str(key)), ranges, Facts(256, 256, things=things), 3).moved for key in range(200)]
        for ranges, things in ((blur.BlurRanges(), True), (blur.BlurRanges(), False), (blur.BlurRanges(stills={"thing": 1.0}), False))
    ]
    share = [sum(moved is not None for moved in drawn) / 200 for drawn in rolls]
    assert 0.08 < share[0] < 0.2
    assert share[1:] == [0, 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stratum", range(1, STRATA + 1))
def test_a_draw_lies_in_its_stratum_and_survives_json(kind: str, stratum: int) -> None:
    """Severity, record and draw agree for every kind."""
    params = draw(kind, stratum)
    assert blur.GENERATOR.stratum(blur.severity(params)) == stratum
    assert from_record(blur.BlurParams, json.loads(json.dumps(to_record(params)))) == params
    assert sum(part is not None for part in (params.shaken, params.moved, params.focused)) == 1
    assert params.window == ()


@pytest.mark.parametrize("stratum", range(1, STRATA + 1))
def test_a_clip_gives_its_window(stratum: int) -> None:
    """What is drawn for a clip names its frames, and its length lies in the stratum."""
    params = blur.sample(stream(3, "blur", "clip"), blur.BlurRanges(), CLIP, stratum)
    first, centre, last = params.window
    assert 0 <= first < centre < last <= 29
    low, high = blur.GENERATOR.band(stratum)
    assert low <= blur.severity(params) <= high
    assert params.speed_px == pytest.approx(6.0 * 1024 / 192)
    assert from_record(blur.BlurParams, json.loads(json.dumps(to_record(params)))) == params


def test_a_clip_that_cannot_is_refused() -> None:
    """A clip that hardly moves gives mild blur and refuses strong blur by name."""
    slow = CLIP.motion._replace(speeds_px=(0.1,) * 29)
    facts = Facts(256, 192, motion=slow)
    reach = 0.1 * 2 * int(60 * window.MOST_S / 2) * 1024 / 192
    assert blur.GENERATOR.strata[2] < reach < blur.GENERATOR.strata[3]
    assert 3.0 <= blur.severity(blur.sample(stream(1, "blur", "slow"), blur.BlurRanges(), facts, 2)) <= reach * (1 + 1e-9)
    with pytest.raises(BadSample) as refused:
        blur.sample(stream(1, "blur", "slow"), blur.BlurRanges(), facts, 5)
    assert refused.value.reason is Reason.TOO_LITTLE_MOTION


@pytest.mark.parametrize("kind", KINDS)
def test_the_mild_end_is_mild_and_blur_grows(kind: str, photo: Srgb) -> None:
    """Stratum 1 is above 30 dB, and on average each stratum is farther from clean."""
    level = [np.mean([cv2.PSNR(photo, shown(photo, draw(kind, stratum, key))) for key in "abcd"]) for stratum in range(1, STRATA + 1)]
    assert level[0] > 30
    assert all(before > after for before, after in itertools.pairwise(level)), level


@pytest.mark.parametrize("kind", KINDS)
def test_the_pair_stays_in_place(kind: str, photo: Srgb) -> None:
    """No shift of the blurred photo is nearer to the clean one than none, at any strength."""
    for stratum in (2, 4, 5):
        for key in "ab":
            seen = shown(photo, draw(kind, stratum, key))[8:-8, 8:-8]
            off = {(x, y): cv2.norm(photo[8 + y : 184 + y, 8 + x : 248 + x].copy(), seen.copy()) for x in (-1, 0, 1) for y in (-1, 0, 1)}
            assert min(off, key=lambda shift: off[shift]) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_light_is_kept(kind: str, photo: Srgb) -> None:
    """Blur moves light and makes none: the mean of a photo without highlights stays."""
    light = camera.to_linear(photo // 2)
    made = blur.render(light, draw(kind, 4), assets_of(photo))
    assert made.mean() == pytest.approx(light.mean(), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_the_camera_adds_its_noise(kind: str) -> None:
    """On an even wall blur shows nothing but shot noise of the drawn gain."""
    wall = np.full((192, 192, 3), 0.3, np.float32)
    params = draw(kind, 4)
    noise = blur.render(wall, params, assets_of(np.full((192, 192, 3), 128, np.uint8))) - wall
    assert noise.var() == pytest.approx(params.noise_gain * 0.3, rel=0.1)


def test_a_clip_is_exposed_about_its_centre(photo: Srgb) -> None:
    """Frames that glide by six px give a blur along the glide, in place; the wrong frames are an error."""
    params = blur.sample(stream(3, "blur", "clip"), blur.BlurRanges(), CLIP, 5)
    first, centre, last = params.window
    large = cv2.resize(photo, (512, 384))
    frames = tuple(np.ascontiguousarray(large[100:292, 120 + 6 * (at - centre) : 376 + 6 * (at - centre)]) for at in range(first, last + 1))
    clean = frames[centre - first]
    made = camera.to_srgb(blur.render(camera.to_linear(clean), params, Assets(frames=frames)))
    across, down = detail_left(made, clean, 1), detail_left(made, clean, 0)
    assert across < 0.75 * down
    seen = made[8:-8, 8:-8]
    off = {x: cv2.norm(clean[8:184, 8 + x : 248 + x].copy(), seen.copy()) for x in (-2, -1, 0, 1, 2)}
    assert min(off, key=lambda shift: off[shift]) == 0
    with pytest.raises(ValueError, match=r"needs assets\.frames"):
        blur.render(camera.to_linear(clean), params, Assets(frames=frames[1:]))


def test_priors_must_be_there(photo: Srgb) -> None:
    """A still without depth or segments is an error, for every kind alike."""
    light, assets = camera.to_linear(photo), assets_of(photo)
    for kind in KINDS:
        with pytest.raises(ValueError, match=r"assets\.depth"):
            blur.render(light, draw(kind, 3), Assets())
        with pytest.raises(ValueError, match=r"assets\.segments"):
            blur.render(light, draw(kind, 3), Assets(depth=assets.depth))


@pytest.mark.parametrize("blades", [(), (1,), (2, 6), (-3,)])
def test_an_aperture_that_cannot_be_is_refused(blades: tuple[int, ...]) -> None:
    """One or two blades enclose nothing, and of no aperture none can be drawn."""
    with pytest.raises(ValueError, match="3 blades or more"):
        blur.BlurRanges(blades=blades)
