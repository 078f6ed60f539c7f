"""Moire by photograph and by pattern: contrast, brightness and place are kept, and what is drawn can be shown."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest

from degrade import camera, moire
from degrade.contract import Assets, Facts, Linear, Srgb
from degrade.screen import geometry, optics
from degrade.stream import stream

DISPLAY = moire.MoireRanges(photographed=1.0)
PATTERN = moire.MoireRanges(photographed=0.0)
BRANCHES = pytest.mark.parametrize("ranges", [DISPLAY, PATTERN], ids=["display", "pattern"])
FACTS = Facts(256, 256)


def draw(stratum: int, key: object, ranges: moire.MoireRanges, facts: Facts = FACTS) -> moire.MoireParams:
    """Draw for one pair."""
    return moire.sample(stream(3, "moire", str(key)), ranges, facts, stratum)


@functools.cache
def page() -> Srgb:
    """A busy picture of middling light whose shift can be measured: smoothed noise, 256 x 256."""
    noise = np.random.default_rng(4).standard_normal((256, 256, 3)).astype(np.float32)
    return np.clip(110 + 160 * cv2.GaussianBlur(noise, (0, 0), 2.5), 0, 255).astype(np.uint8)


def shown(params: moire.MoireParams, light: Linear) -> Srgb:
    """Render without a bank."""
    return moire.render(light, params, Assets())


def shift_px(clean: Srgb, degraded: Srgb) -> list[float]:
    """Return the shift of red, green and blue between two pictures, px: least squares of the change against the gradient."""
    found = []
    for channel in range(3):
        first, second = (cv2.GaussianBlur(np.float64(picture[..., channel]), (0, 0), 1.5) for picture in (clean, degraded))
        down, across = np.gradient(first)
        slopes = np.stack([across.ravel(), down.ravel()], 1)
        found.append(float(np.hypot(*np.linalg.lstsq(slopes, (first - second).ravel(), rcond=None)[0])))
    return found


@BRANCHES
def test_the_pair_is_registered(ranges: moire.MoireRanges) -> None:
    """No colour of the degraded side is shifted by 0.3 px, by 0.1 where bands leave that to be measured, whatever was drawn."""
    for key in range(12):
        found = shift_px(page(), shown(draw(1 + key % 5, key, ranges), camera.to_linear(page())))
        assert max(found) < (0.1 if key % 5 < 3 else 0.3), (key, found)


@pytest.mark.parametrize("size", [(256, 256), (1280, 64)])
def test_no_display_is_tilted_until_a_corner_looks_past_it(size: tuple[int, int]) -> None:
    """The strongest tilts and fields of view that a recipe may ask for are cut to what the picture's corners see."""
    steep = moire.MoireRanges(photographed=1.0, tilt_deg=(60, 60), field_deg=(60, 80), k1=(-0.2, 0.2))
    for key in range(40):
        screen = draw(1 + key % 5, key, steep, Facts(*size)).screen
        assert screen is not None
        zoomed = (screen.zoom * size[0], screen.zoom * size[1])
        assert screen.view.tilt_deg == geometry.steepest_deg(screen.view.field_deg, screen.view.k1, zoomed)
        assert int(geometry.phases(screen.view, zoomed, 1, 64).max()) < 2**24


def test_a_shift_would_be_noticed() -> None:
    """The measure of registration finds a shift of half a pixel, under moire too."""
    moved = cv2.warpAffine(page(), np.array([[1, 0, 0.5], [0, 1, 0]]), (256, 256), borderMode=cv2.BORDER_REFLECT)
    found = shift_px(page(), shown(draw(3, 1, DISPLAY), camera.to_linear(moved)))
    assert np.allclose(found, 0.5, atol=0.1)


@BRANCHES
def test_brightness_is_kept(ranges: moire.MoireRanges, astronaut: Srgb) -> None:
    """A grey stays that grey to 2 %, a photo to 3 %, in every stratum."""
    photo = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    for key in range(10):
        params = draw(1 + key % 5, key, ranges)
        grey = np.full((256, 256, 3), 0.2, np.float32)
        assert abs(camera.to_linear(shown(params, grey)).mean() / 0.2 - 1) < 0.02
        light = camera.to_linear(photo)
        assert abs(camera.to_linear(shown(params, light)).mean() / light.mean() - 1) < 0.03


@BRANCHES
def test_the_contrast_in_the_record_is_the_contrast_on_a_grey(ranges: moire.MoireRanges) -> None:
    """Median over draws: the RMS modulation of a grey is the severity within a fifth, in every stratum."""
    grey = np.full((256, 256, 3), 0.2, np.float32)
    for stratum in range(1, 6):
        ratios = []
        for key in range(8):
            params = draw(stratum, key, ranges)._replace(noise_gain=0.0)
            light = camera.to_linear(shown(params, grey)) / 0.2
            ratios.append(100 * light.std() / moire.severity(params))
        assert 0.8 < np.median(ratios) < 1.25, (stratum, ratios)


@BRANCHES
def test_the_mild_end_is_mild_and_each_stratum_is_worse(ranges: moire.MoireRanges, astronaut: Srgb, rocket: Srgb) -> None:
    """Stratum 1 is above 25 dB, and the median falls from stratum to stratum."""
    photos = [cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA) for photo in (astronaut, rocket)]
    medians = []
    for stratum in range(1, 6):
        found = [cv2.PSNR(photo, shown(draw(stratum, key, ranges), camera.to_linear(photo))) for photo in photos for key in range(8)]
        assert stratum > 1 or min(found) > 25
        medians.append(float(np.median(found)))
    assert all(np.diff(medians) < 0), medians
    assert medians[-1] < 25


def test_what_is_drawn_can_be_seen_by_the_camera_that_was_drawn() -> None:
    """Lens and display were chosen so that the contrast shows, and so that a mild one costs no detail."""
    for key in range(300):
        params = draw(1 + key % 5, key, DISPLAY, Facts(1024, 1024))
        screen = params.screen
        assert screen is not None
        known = moire.QUAD if screen.quad else moire.BAYER
        pitch = min(known[screen.layout], key=lambda each: abs(each - screen.view.pitch_px))
        reach = optics.reach(screen.layout, pitch, optics.Camera(screen.zoom, screen.quad))
        assert params.contrast_pct > 10 or pitch <= 1.1 * screen.zoom
        assert params.contrast_pct > 3 or screen.zoom == 3  # what is faint is seen by the finest camera
        assert screen.soft_px <= max(reach.softest_px(params.contrast_pct / 100), 0.3) + 1e-9


def test_a_bank_is_used_as_far_as_it_goes() -> None:
    """No more textures are placed than the bank holds, never more than three patterns, and none without a bank."""
    for bank in range(4):
        counts = {(len(made.textures), len(made.gratings)) for made in (draw(3, key, PATTERN, Facts(256, 256, textures=bank)) for key in range(60))}
        assert max(textures for textures, _ in counts) == min(bank, 3)
        assert {sum(pair) for pair in counts} == {1, 2, 3}


def test_a_missing_bank_is_named() -> None:
    """Params that place textures cannot be rendered without them."""
    only = moire.MoireRanges(photographed=0.0, bank=1.0)
    with pytest.raises(ValueError, match=r"assets\.textures\['moire'\]"):
        shown(draw(3, 1, only, Facts(256, 256, textures=3)), camera.to_linear(page()))


def test_what_exceeds_display_white_is_shown_as_white() -> None:
    """A display has no brighter white: light of 8 gives the picture that light of 1 gives."""
    light = camera.to_linear(page())
    light[100:120, 100:120] = 1.0
    lamp = light.copy()
    lamp[100:120, 100:120] = 8.0
    for ranges in (DISPLAY, PATTERN):
        params = draw(4, 5, ranges)
        assert np.abs(shown(params, light).astype(int) - shown(params, lamp)).max() <= 2


def test_lights_keep_less_of_the_pattern_and_black_none() -> None:
    """Modulation fades with the fourth power of light, to a quarter at the clip; a black screen shows no lattice."""
    params = draw(2, 2, DISPLAY)._replace(noise_gain=0.0)
    levels = {level: camera.to_linear(shown(params, np.full((256, 256, 3), level, np.float32))).std() for level in (0.0, 0.3, 0.9)}
    assert levels[0.0] == 0
    assert np.isclose((levels[0.9] / 0.9) / (levels[0.3] / 0.3), (1 - 0.75 * 0.9**4) / (1 - 0.75 * 0.3**4), rtol=0.08)


def test_bands_of_work_leave_no_seams() -> None:
    """The middle of a tall photo, over a join, is what it is in a photo that is worked on at once."""
    tall = camera.to_linear(np.random.default_rng(8).integers(0, 256, (512, 96, 3), dtype=np.uint8))
    for key in range(6):
        params = draw(3, key, DISPLAY)._replace(noise_gain=0.0, contrast_pct=0.0)  # the lattice hangs on the middle of the photo
        whole, part = shown(params, tall), shown(params, np.ascontiguousarray(tall[128:384]))
        differ = np.abs(whole[140:372].astype(int) - part[12:-12])
        assert differ.max() <= 3  # where two directions of demosaicing tie, the last bit of a blur decides
        assert (differ > 0).mean() < 1e-3


def test_real_photos_come_through(data) -> None:
    """Forty draws over real photos: nothing fails, nothing is left as it was."""
    photos = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in sorted((data / "clean").glob("*.jpg"))[:4]]
    small = [np.ascontiguousarray(cv2.resize(photo, (193, 160), interpolation=cv2.INTER_AREA)) for photo in photos]
    for key in range(40):
        clean = small[key % 4]
        made = shown(draw(1 + key % 5, key, moire.MoireRanges(), Facts(193, 160)), camera.to_linear(clean))
        assert made.shape == clean.shape
        assert not np.array_equal(made, clean)


def test_a_mild_pattern_is_seen_by_a_camera_finer_than_the_photo() -> None:
    """Below a contrast of 10 per cent no demosaicing at the photo's own pixels takes detail, unless the recipe has no finer camera."""
    screens = [draw(1 + key % 2, key, DISPLAY).screen for key in range(60)]
    assert {screen.zoom for screen in screens if screen} == {2, 3}
    only = moire.MoireRanges(photographed=1.0, zooms={1: 1.0})
    assert {screen.zoom for screen in (draw(1, key, only).screen for key in range(10)) if screen} == {1}
