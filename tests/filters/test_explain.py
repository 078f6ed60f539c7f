"""Each operator, fitted to a pair that was made with known numbers, finds those numbers; what it did not make, it does not explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.coding import codecs
from degrade.contract import Linear, Srgb
from filters import evidence
from filters.explain import blur, colours, compression, haze, low_light, moire, noise, passage
from filters.explain.sides import Sides, luminance

TASKS = tuple(evidence.OPERATORS)
SIGNS = {"blur": blur.sign, "compression": compression.sign, "haze": haze.sign, "low_light": low_light.sign, "moire": moire.sign, "noise": noise.sign}
FREQUENCY = 2 * np.pi / 9  # of built bands, radians per px


@pytest.fixture(scope="module")
def light(astronaut) -> Linear:
    """A portrait in linear light, its blacks and whites within what 8 bits hold."""
    return camera.to_linear(astronaut) * np.float32(0.9) + np.float32(0.01)


def ramp(height: int, width: int, low: float, high: float) -> Linear:
    """A smooth map from below to above, HxWx1."""
    return np.broadcast_to(np.linspace(low, high, height, dtype=np.float32)[:, None, None], (height, width, 1))


def srgb(side: Linear | Srgb) -> Srgb:
    return side if side.dtype == np.uint8 else camera.to_srgb(np.ascontiguousarray(side))


def explain(task: str, clean: Linear | Srgb, degraded: Linear | Srgb) -> evidence.Finding:
    return evidence.explain(task, srgb(clean), srgb(degraded))


Side = tuple[Linear | Srgb, float]  # a pair's degraded side, made by the operator's own law, and its strength


def hazy(light: Linear, _partner: Linear) -> Side:
    depth = ramp(*light.shape[:2], 1.6, 0.2)
    return np.exp(-depth) * light + (1 - np.exp(-depth)) * np.float32([0.8, 0.85, 0.9]), float(depth.mean())


def noisy(light: Linear, _partner: Linear) -> Side:
    photo = srgb(light)
    noise = 8.0 * np.random.default_rng(5).standard_normal(photo.shape)
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8), 8.0 * float(np.linalg.norm([0.299, 0.587, 0.114]))


def coded(light: Linear, _partner: Linear) -> Side:
    return codecs.jpeg(srgb(light), 40, "4:2:0", "baseline").pixels, 60.0


def banded(light: Linear, _partner: Linear) -> Side:
    waves = np.sin(FREQUENCY * np.arange(light.shape[1], dtype=np.float32))[None, :, None] * np.float32([1, -1, 1])
    return light * (1 + np.float32(0.1 * 2**0.5) * waves), 10.0


def flared(light: Linear, _partner: Linear) -> Side:
    y, x = np.mgrid[: light.shape[0], : light.shape[1]].astype(np.float32) / light.shape[0]
    glow = 0.8 * np.exp(-((x - 0.2) ** 2 + y**2) / 0.08)
    drowned = np.minimum(glow / luminance(light).mean(), 1).mean()
    return np.float32(0.6) * (light + glow[..., None]), 100 * float(drowned)


def rainy(light: Linear, _partner: Linear) -> Side:
    drops = (np.random.default_rng(5).random(light.shape[:2]) < 0.003).astype(np.float32)
    cover = np.minimum(cv2.filter2D(drops, -1, np.full((15, 1), 0.5, np.float32)), 0.5)[..., None]
    veiled = np.float32(0.8) * light + np.float32(0.2 * 0.6)
    return (1 - cover) * veiled + cover * np.float32(0.7), float(-np.log(0.8 * (1 - cover)).mean())


def mirrored(light: Linear, partner: Linear) -> Side:
    return np.float32(0.7) * (light + np.float32(0.4) * partner), 40 * float(luminance(partner).mean() / luminance(light).mean())


LAWS: dict[str, Callable[[Linear, Linear], Side]] = {
    "blur": lambda light, _partner: (cv2.GaussianBlur(light, (0, 0), 4.0), 24**0.5 * 4.0 * 1024 / 512),
    "compression": coded,
    "flare": flared,
    "haze": hazy,
    "low_light": lambda light, _partner: (light * np.float32(2.0**-2.5), 2.5),
    "moire": banded,
    "noise": noisy,
    "rain": rainy,
    "reflection": mirrored,
}


@pytest.fixture(scope="module")
def partner(rocket) -> Linear:
    """A second scene of the portrait's size."""
    return cv2.GaussianBlur(camera.to_linear(cv2.resize(rocket, (512, 512))), (0, 0), 2)


class Made(NamedTuple):
    """A built pair's degraded side, the number it was made with, and what was found."""

    degraded: Srgb
    strength: float
    found: evidence.Finding


@pytest.fixture(scope="module")
def made(light, partner) -> dict[str, Made]:
    """One pair for every task."""
    pairs = {}
    for task in TASKS:
        degraded, strength = LAWS[task](light, partner)
        pairs[task] = Made(srgb(degraded), strength, explain(task, light, degraded))
    return pairs


@pytest.mark.parametrize("task", TASKS)
def test_the_fit_finds_what_was_put_in(task, made):
    """Strength lies within a tenth of the number with which the pair was made, and the pair is explained."""
    assert made[task].found.strength == pytest.approx(made[task].strength, rel=0.1)
    assert made[task].found.explained > 0.8


@pytest.mark.parametrize("task", TASKS)
def test_a_clean_pair_has_no_strength(task, astronaut):
    """Two equal sides: nothing is found, and everything is explained."""
    corner = astronaut[:192, 100:292]
    assert evidence.explain(task, corner, corner) == pytest.approx((0.0, 1.0), abs=0.02)


@pytest.mark.parametrize("task", TASKS)
def test_a_patch_painted_anew_is_not_explained(task, light, made):
    """A fourteenth of the clean side is another picture, here its own mirror image: what was explained is so no longer."""
    painted = light.copy()
    painted[180:320, 200:340] = light[180:320, 339:199:-1]
    assert explain(task, painted, made[task].degraded).explained < 0.3


@pytest.mark.parametrize("task", TASKS)
def test_a_shifted_clean_side_is_not_explained(task, light, made):
    """Four pixels to the side."""
    assert explain(task, np.roll(light, 4, axis=1), made[task].degraded).explained < made[task].found.explained - 0.3


@pytest.mark.parametrize("quality", [15, 35, 50, 65, 75, 88])
def test_the_quality_of_a_jpeg_is_found(quality, astronaut, rocket):
    """A JPEG's own quality is found to one step, on a rung of the ladder and between two, of a portrait and of a sky at dusk."""
    for photo in (astronaut, rocket):
        jpeg = codecs.jpeg(photo, quality, "4:2:0", "baseline").pixels
        assert evidence.explain("compression", photo, jpeg).strength == pytest.approx(100 - quality, abs=1)


def test_airlight_and_exposure_are_found(light, made):
    """The haze fit names the colour of the air, and the depth at top and bottom."""
    sides = Sides(srgb(light), made["haze"].degraded)
    passed, air, exposure = haze.fit(sides.coarse)
    assert air == pytest.approx([0.8, 0.85, 0.9], abs=0.03)
    assert passed[:20].mean() / exposure == pytest.approx(np.exp(-1.55), abs=0.06)
    assert passed[-20:].mean() / exposure == pytest.approx(np.exp(-0.25), abs=0.08)


def test_uneven_light_and_a_tone_curve_are_explained(light):
    """A lamp on one side and a gamma change no content."""
    dark = (light * ramp(512, 512, 0.02, 0.2)) ** np.float32(0.9)
    assert explain("low_light", light, dark).explained > 0.6


def test_light_that_was_taken_away_is_no_flare(light):
    """A smooth shadow lets detail pass, but no lens makes it."""
    shadow = light.copy()
    shadow[:, 256:] *= np.float32(0.35)
    bright = light.copy()
    bright[:, 256:] += np.float32(0.2)
    assert explain("flare", light, bright).explained > 0.8
    assert explain("flare", light, shadow).explained < 0.6


def test_a_turn_of_hue_is_measured_and_a_cast_is_none(astronaut):
    """A turn of the colour circle is found in degrees; half the red and a veil of light turn colours by little."""
    planes = cv2.transform(camera.to_linear(astronaut), colours.OPPONENT)
    angle = np.deg2rad(25)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    back = np.linalg.inv(colours.OPPONENT) @ turn
    turned = camera.to_srgb(cv2.transform(planes, back.astype(np.float32)).clip(0, 1))
    tinted = camera.to_srgb(camera.to_linear(astronaut) * np.float32([0.6, 0.7, 0.7]) + np.float32(0.2))
    assert colours.turned_deg(Sides(astronaut, turned).coarse) == pytest.approx(25, abs=3)
    assert colours.turned_deg(Sides(astronaut, tinted).coarse) < 6


def test_a_photo_without_colour_does_not_turn(astronaut):
    """Grey has no hue."""
    grey = cv2.cvtColor(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert colours.turned_deg(Sides(grey, astronaut).coarse) == 0.0


def test_detail_of_its_own_drops_out_of_passage(light):
    """What the degraded side shows besides does not change what is found to pass."""
    rng = np.random.default_rng(2)
    rough = np.float32(0.5) * light + np.float32(0.1) * rng.random(light.shape, np.float32)
    sides = Sides(camera.to_srgb(light), camera.to_srgb(rough))
    assert passage.lost(passage.passage(sides.coarse)) == pytest.approx(np.log(2), abs=0.03)


@pytest.mark.parametrize("task", SIGNS)
def test_the_sign_of_a_task_rises_with_it(task, light, made):
    """A photo that was degraded shows more of the sign than before."""
    sign = SIGNS[task]
    assert sign(made[task].degraded) > sign(srgb(light)) + 0.03


def test_a_night_is_no_photo_that_lacks_light(light):
    """A photo of 3 EV too little can be lifted, with a lamp in it too; one as dark with 2 % of windows at white cannot."""
    dark = np.minimum(light, 1) * np.float32(2.0**-3)
    lamp, windows = dark.copy(), dark.copy()
    side = dark.shape[0]
    lamp[: side // 20, : side // 20] = 1
    windows[:: side // 8, : side // 5] = 1
    windows[1 :: side // 8, : side // 5] = 1
    signs = [low_light.sign(srgb(one)) for one in (light, dark, lamp, windows)]
    assert signs[0] < 0.5
    assert signs[1] == pytest.approx(2.9, abs=0.5)
    assert signs[2] > 2.0
    assert signs[3] < 0.5
    assert float(np.median(luminance(windows))) < 0.05


def test_a_bright_sky_without_fair_tones_is_compared_all_the_same():
    """Where the highest channel is beyond what is fair everywhere, and the median of all colours is not, half of the pixels still count."""
    sky = np.full((512, 512, 3), (135, 190, 242), np.uint8)
    sky[::2] += 3
    assert np.isfinite(evidence.explain("moire", sky, sky // 2).strength)
