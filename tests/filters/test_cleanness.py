"""Facts about `filters.cleanness`, `filters.detail` and `filters.tones`: which photos may be clean sides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from degrade.contract import Srgb
from degrade.errors import Reason
from filters import cleanness, detail, tones
from filters.cleanness import Limits, decide, measure, phash
from filters.verdict import KEEP, Verdict

LIMITS = Limits()
ANY_SIZE = Limits(min_short_side=1)
NAMES = (
    "architecture_sky", "beach_rob_bye", "bridge_bw", "canyon_ashim_dsilva", "flower_macro", "glass_bottles",
    "lighthouse_dusk_william_bout", "mountain_forest_dreamypixel", "night_mountain_stars", "night_neon_city",
    "night_street_lamps", "night_traffic_dusk", "pier_sunset", "street_london", "street_shop_text", "sunset_flare_silhouette",
    "text_signs_french", "truck_street",
)  # fmt: skip
FEW = ("beach_rob_bye", "rocks_victor_svistunov", "sunflowers_sky", "street_shop_text", "text_signs_french")


def _photo(data: Path, name: str) -> tuple[Srgb, bytes]:
    path = data / "clean" / f"{name}.jpg"
    return np.asarray(Image.open(path).convert("RGB")), path.read_bytes()


def _noisy(pixels: Srgb, sigma: float) -> Srgb:
    noise = np.random.default_rng(7).normal(0, sigma, (*pixels.shape[:2], 1))  # the same in all channels: luma noise
    return np.clip(pixels + noise, 0, 255).round().astype(np.uint8)


def _reason(pixels: Srgb, limits: Limits = ANY_SIZE, data: bytes = b"") -> Reason | None:
    return decide(measure(pixels, data), limits).reason


@pytest.mark.parametrize("name", NAMES)
def test_good_photos_are_kept(data: Path, name: str) -> None:
    """Landscapes, streets, macro shots, fog, night and black-and-white pass the default limits."""
    assert decide(measure(*_photo(data, name)), LIMITS) == KEEP


@pytest.mark.parametrize("name", FEW)
def test_damaged_copies_are_refused_for_their_damage(data: Path, name: str) -> None:
    """Blur, noise, strong JPEG and overexposure are each refused under their own name."""
    pixels = np.ascontiguousarray(_photo(data, name)[0][:1400, :1800])
    assert _reason(cv2.GaussianBlur(pixels, (0, 0), 3)) is Reason.TOO_SOFT
    assert _reason(cv2.blur(pixels, (9, 1))) is Reason.TOO_SOFT  # a shaken camera
    assert _reason(_noisy(pixels, 15)) is Reason.TOO_NOISY
    file = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    blocky = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert _reason(blocky, data=file) is Reason.JPEG_DAMAGED
    assert _reason(blocky) is Reason.JPEG_DAMAGED  # saved again as PNG
    assert _reason(cv2.convertScaleAbs(pixels, alpha=1.5, beta=10)) in {Reason.CLIPPED, Reason.FLAT}  # blown out entirely is flat


def test_sharpness_falls_with_blur_and_ignores_contrast(rocket: Srgb) -> None:
    """Sharpness falls with every step of blur, and is the same for a photo of half the contrast."""
    values = [measure(cv2.GaussianBlur(rocket, (0, 0), sigma) if sigma else rocket)["sharpness"] for sigma in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    faded = cv2.convertScaleAbs(rocket, alpha=0.5, beta=60)
    assert measure(faded)["sharpness"] == pytest.approx(values[0], abs=0.12)


def test_a_blurred_background_is_no_fault(rocket: Srgb) -> None:
    """A photo of which one quarter is sharp keeps most of its sharpness."""
    bokeh = cv2.GaussianBlur(rocket, (0, 0), 6)
    bokeh[100:420, 220:420] = rocket[100:420, 220:420]
    assert measure(bokeh)["sharpness"] > 0.5 * measure(rocket)["sharpness"] > 5 * measure(cv2.GaussianBlur(rocket, (0, 0), 6))["sharpness"]


def test_sharpness_does_not_depend_on_the_size_of_the_photo(rocket: Srgb) -> None:
    """Twice the scene at the same detail is as sharp."""
    wide = np.tile(rocket, (3, 3, 1))
    assert measure(wide)["sharpness"] == pytest.approx(measure(rocket)["sharpness"], abs=0.06)


@pytest.mark.parametrize("sigma", [3, 6, 12, 25])
def test_noise_is_measured_in_levels(rocket: Srgb, sigma: float) -> None:
    """The noise that was added to a photo is found to within a tenth."""
    assert measure(_noisy(rocket, sigma))["noise_sigma"] == pytest.approx(sigma, rel=0.1)


def test_texture_is_not_noise(data: Path) -> None:
    """Rocks, leaves and brickwork are below half the limit for noise."""
    for name in ("rocks_victor_svistunov", "plant_pablo_garcia_saldana", "street_london", "canyon_ashim_dsilva"):
        assert measure(_photo(data, name)[0])["noise_sigma"] < LIMITS.max_noise_sigma / 2


def _page() -> Srgb:
    page = np.full((900, 700, 3), 255, np.uint8)
    for row in range(60, 860, 30):
        cv2.putText(page, "not a photo but a page of words", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 1, cv2.LINE_AA)
    return page


def test_drawings_pages_and_blanks_are_flat() -> None:
    """Logos, text pages, checkerboards, two-tone pictures and blank pages are refused for want of content."""
    disc = cv2.circle(np.full((600, 600, 3), 40, np.uint8), (300, 300), 200, (200, 30, 90), -1, cv2.LINE_AA)
    board = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((80, 80))).astype(np.uint8)[..., None] * np.full(3, 255, np.uint8)
    blank = np.full((600, 600, 3), 250, np.uint8)
    assert [_reason(picture) for picture in (_page(), disc, board, blank)] == [Reason.FLAT] * 4


def test_uniform_borders_are_found(rocket: Srgb) -> None:
    """Letterboxes, and the grey end of a damaged JPEG, are refused; a dark sky is not a border."""
    letterbox = cv2.copyMakeBorder(rocket, 50, 50, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    grey = rocket.copy()
    grey[300:] = 128
    framed = cv2.copyMakeBorder(rocket, 0, 0, 30, 30, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    assert [_reason(picture) for picture in (letterbox, grey, framed)] == [Reason.FLAT] * 3
    night = (rocket * np.clip((np.arange(427) - 150) / 200, 0, 1)[:, None, None]).astype(np.uint8)
    assert tones.border(detail.lines(night)) == 0


def test_grey_is_refused_only_where_colour_is_asked_for(astronaut: Srgb) -> None:
    """A photo without colour passes unless the recipe wants colour."""
    grey = cv2.cvtColor(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert decide(measure(grey), LIMITS) == KEEP
    assert _reason(grey, Limits(allow_grey=False)) is Reason.GREY
    assert _reason(astronaut, Limits(allow_grey=False)) is None


def test_sizes_and_shapes_have_limits(astronaut: Srgb) -> None:
    """Small and very long pictures are refused for that, down to a single pixel."""
    assert _reason(astronaut[:300], LIMITS) is Reason.TOO_SMALL
    assert _reason(astronaut[:100], ANY_SIZE) is Reason.EXTREME_ASPECT
    assert _reason(astronaut[:1, :1], LIMITS) is Reason.TOO_SMALL


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3, 3), (4, 4), (5, 70), (70, 5), (16, 64), (17, 65)])
def test_every_size_can_be_measured(astronaut: Srgb, shape: tuple[int, int]) -> None:
    """Measures are finite numbers at any size."""
    measures = measure(np.ascontiguousarray(np.tile(astronaut, (1, 2, 1))[: shape[0], : shape[1]]))
    assert all(np.isfinite(value) for value in measures.values())
    assert len(phash(astronaut[: shape[0], : shape[1]])) == 16


def test_measuring_leaves_the_photo_alone(astronaut: Srgb) -> None:
    """The pixels are not written to, and the same photo gives the same numbers."""
    before = astronaut.copy()
    assert measure(astronaut) == measure(before)
    assert phash(astronaut) == phash(before)
    assert np.array_equal(astronaut, before)


def test_decisions_are_pure_and_say_why() -> None:
    """A verdict names the reason, the number and the limit, and ignores what was not measured."""
    assert decide({}, LIMITS) == KEEP
    verdict = decide({"noise_sigma": 5.0, "sharpness": 0.01}, LIMITS)
    assert verdict == Verdict(keep=False, reason=Reason.TOO_NOISY, detail="5 levels of noise; the limit is 4")
    assert decide({"noise_sigma": 5.0}, Limits(max_noise_sigma=6.0)).keep


def test_every_check_has_a_measure_and_every_limit_a_check(astronaut: Srgb) -> None:
    """No limit is without effect and no check without a number."""
    assert {check.measure for check in cleanness.CHECKS} == set(measure(astronaut))
    assert len(cleanness.CHECKS) == len(Limits.model_fields) - 1  # allow_grey switches another one


def test_limits_refuse_what_they_do_not_know() -> None:
    """A misspelt limit names its nearest neighbour; text is no number."""
    with pytest.raises(ValueError, match="did you mean `min_sharpness`"):
        Limits.model_validate({"min_sharpnes": 0.2})
    with pytest.raises(ValueError, match="max_noise_sigma"):
        Limits.model_validate({"max_noise_sigma": "3"})


def _distance(one: Srgb, other: Srgb) -> int:
    return (int(phash(one), 16) ^ int(phash(other), 16)).bit_count()


def test_near_photos_have_near_hashes(astronaut: Srgb, rocket: Srgb) -> None:
    """A smaller, brighter, re-encoded copy is within eight bits; another photo is far away."""
    copy = cv2.resize(cv2.convertScaleAbs(astronaut, alpha=0.9, beta=10), (300, 300), interpolation=cv2.INTER_AREA)
    copy = cv2.imdecode(cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert _distance(astronaut, copy) <= 8
    assert _distance(astronaut, rocket) > 16
    assert _distance(astronaut, np.ascontiguousarray(astronaut[:, ::-1])) > 16


def test_what_is_just_beyond_a_limit_is_told_so():
    """A number is given with the digits that show what is wrong with it."""
    verdict = decide({"short_side": 1023.0}, Limits(min_short_side=1024))
    assert verdict.detail == "1023 px; the limit is 1024"
    assert decide({"noise_sigma": 4.0004}, Limits(max_noise_sigma=4.0)).detail == "4.0004 levels of noise; the limit is 4"
