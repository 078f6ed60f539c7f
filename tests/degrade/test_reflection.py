"""A reflection is added in linear light, with the energy of its record, and is worth training on."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, reflection
from degrade.contract import STRATA, Assets, Facts, Linear, Noted, Srgb
from degrade.errors import BadSample, Reason
from degrade.glass import mixture, usable, view
from degrade.glass.border import Edge
from degrade.reflection import ReflectionParams
from degrade.stream import stream

FACTS = Facts(320, 240, luminance=0.2, partner=Facts(320, 240, luminance=0.2), textures=3)
HEIGHT_RAD = 0.75


def drawn(stratum: int = 3, key: str = "a", ranges: dict[str, Any] | None = None) -> ReflectionParams:
    return reflection.sample(stream(7, "reflection", key), reflection.ReflectionRanges(**(ranges or {})), FACTS, stratum)


def plain(stratum: int = 3, key: str = "a", **more: Any) -> ReflectionParams:
    """Return a draw with clean, whole panes."""
    return drawn(stratum, key, {"dirty": 0.0, "edge": 0.0, "curtain": 0.0, **more})


def assets(partner: Srgb, params: ReflectionParams) -> Assets:
    bank = np.zeros((32, 40, 4), np.uint8)
    bank[8:24, 10:30] = (200, 180, 150, 255)
    return Assets(partner=partner, height_rad=HEIGHT_RAD, textures={"reflection": (bank,) * len(params.textures)})


def mixed(light: Linear, params: ReflectionParams, partner: Srgb) -> tuple[Linear, Linear]:
    """Return the mixture and what of it is mirrored."""
    made = reflection.render(light, params, assets(partner, params)).picture
    return made, reflection.layers(light, params, assets(partner, params))["reflection"]


@pytest.fixture(scope="module")
def clean(astronaut: Srgb) -> Srgb:
    return cv2.resize(astronaut[:384], (320, 240), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def partner() -> Srgb:
    from skimage import data

    return cv2.resize(data.coffee(), (320, 240), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def light(clean: Srgb) -> Linear:
    return camera.to_linear(clean)


@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
def test_the_mixture_less_what_passes_is_what_is_mirrored(light: Linear, partner: Srgb, key: str) -> None:
    """Linear m - linear t = r >= 0, with t the clean light times Fresnel's transmission, of the textbook, times one exposure."""
    params = plain(3, key, clarity=(1.0, 1.0), double=0.0, turn_deg=(0.0, 0.0), tilt_deg=(0.0, 0.0))
    made, mirrored = mixed(light, params, partner)
    assert mirrored.min() >= 0
    passed = made - mirrored
    middle = (light > 0.02) & (light < 0.85)
    ratio = np.where(middle, passed / np.maximum(light, 1e-3), np.nan)
    down, across = np.mgrid[:240, :320]
    focal = 120 / math.tan(HEIGHT_RAD / 2)
    angle = np.arctan(np.hypot(down - 119.5, across - 159.5) / focal)
    inside = np.arcsin(np.sin(angle) / 1.52)
    once = [(np.cos(angle) - 1.52 * np.cos(inside)) / (np.cos(angle) + 1.52 * np.cos(inside))]
    once += [(1.52 * np.cos(angle) - np.cos(inside)) / (1.52 * np.cos(angle) + np.cos(inside))]
    through = np.mean([(1 - one**2) / (1 + one**2) for one in once], axis=0)[..., None]
    exposure = float(np.nanmedian(ratio / through))
    assert np.nanmax(np.abs(ratio / through / exposure - 1)) < 2e-3


@pytest.mark.parametrize("stratum", range(1, STRATA + 1))
def test_the_energy_of_the_reflection_is_the_records(light: Linear, partner: Srgb, stratum: int) -> None:
    """Mean luminance mirrored over mean luminance passed is the severity, with dirt and borders too."""
    for key in "abcdef":
        params = drawn(stratum, key)
        made, mirrored = mixed(light, params, partner)
        ratio = mixture.luminance(mirrored) / mixture.luminance(made - mirrored)
        assert 100 * ratio == pytest.approx(params.reflected_pct, rel=1e-3)
        assert reflection.severity(params) == params.reflected_pct


def test_the_meter_undoes_what_the_glass_swallows_and_adds(light: Linear, partner: Srgb) -> None:
    """Fully metered and without an error, the mixture is as bright as the photo; unmetered, brighter by what is mirrored."""
    params = plain(4)._replace(exposure_ev=0.0)
    metered, unmetered = (mixed(light, params._replace(metering=metering), partner)[0] for metering in (1.0, 0.0))
    assert mixture.luminance(metered) == pytest.approx(mixture.luminance(light), rel=1e-3)
    assert mixture.luminance(unmetered) == pytest.approx(mixture.luminance(light) * (1 + params.reflected_pct / 100), rel=1e-3)


def test_white_stays_white(partner: Srgb, light: Linear) -> None:
    """What was clipped stays clipped behind glass, though the camera exposes less."""
    bright = light.copy()
    bright[:60] = 1.0
    made, _ = mixed(bright, plain(3)._replace(exposure_ev=0.0), partner)
    assert float(np.quantile(made[:60], 0.05)) > 0.97


def test_beyond_the_end_of_the_glass_nothing_is_mirrored(light: Linear, partner: Srgb) -> None:
    """There the photo is as it was, but for the exposure; on the glass it is not."""
    params = plain(4)
    params = params._replace(glass=params.glass._replace(edge=Edge(0.0, 0.0), focus=params.glass.focus._replace(aperture_mm=0.2)))
    made, mirrored = mixed(light, params, partner)
    halves = mirrored[:, :140], mirrored[:, 180:]
    bare = min(range(2), key=lambda half: float(halves[half].max()))
    assert float(halves[bare].max()) == 0.0
    assert float(halves[1 - bare].mean()) > 0.01
    part = slice(0, 140) if bare == 0 else slice(180, 320)
    middle = (light[:, part] > 0.02) & (light[:, part] < 0.85)
    ratio = (made[:, part] / np.maximum(light[:, part], 1e-3))[middle]
    assert float(np.ptp(ratio)) < 1e-3 * float(ratio.mean())


def test_the_end_of_the_glass_is_never_a_cut(light: Linear, partner: Srgb) -> None:
    """However sharp the lens, a hundredth of the short side lies between glass and none."""
    params = plain(4)
    whole = params._replace(glass=params.glass._replace(focus=params.glass.focus._replace(aperture_mm=0.2)))
    ended = whole._replace(glass=whole.glass._replace(edge=Edge(0.0, 0.0)))
    bank = assets(partner, params).textures["reflection"]
    seen = mixture.maps(ended.glass, ended.textures, bank, view.draw(1, 0), (480, 640), 600.0)
    of_all = mixture.maps(whole.glass, whole.textures, bank, view.draw(1, 0), (480, 640), 600.0)
    row = cv2.resize(seen.mirrored, (640, 480))[240] / cv2.resize(of_all.mirrored, (640, 480))[240]
    assert ((row > 0.02) & (row < 0.98)).sum() >= 0.007 * 480


def test_a_reflection_is_the_same_at_another_size(clean: Srgb, partner: Srgb) -> None:
    """Half the pixels show half the shift and half the blur: the same picture."""
    params = plain(3, "scale", zoom=(1.0, 1.0))  # a crop would be rounded to whole pixels
    large = [cv2.resize(one, (640, 480), interpolation=cv2.INTER_CUBIC) for one in (clean, partner)]
    of_large = mixed(camera.to_linear(large[0]), params, large[1])[1]
    of_small = mixed(camera.to_linear(clean), params, partner)[1]
    shrunk = cv2.resize(of_large, (320, 240), interpolation=cv2.INTER_AREA)
    off = cv2.GaussianBlur(shrunk - of_small, (0, 0), 2.0)  # the sharpest edges differ by the resizing alone
    assert float(np.abs(off).mean()) < 0.02 * float(of_small.mean())


def test_bands_leave_no_seams(light: Linear, partner: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture made in bands of eight rows is the one that is made at once."""
    for key in "abcd":
        made = []
        for pixels in (1 << 20, 8 * 320):
            monkeypatch.setattr(mixture, "BAND_PIXELS", pixels)
            made.append(mixed(light, drawn(4, key), partner)[0])
        assert float(np.abs(made[0] - made[1]).max()) < 1e-4


def test_a_view_that_shows_nothing_is_tried_again(light: Linear) -> None:
    """Sooner or later a part of the frame is lit enough, with the energy of the record; notes tell what it took."""
    from skimage import data

    flat = np.full_like(light, 0.6) + 0.2 * light
    cat = cv2.resize(data.chelsea(), (320, 240), interpolation=cv2.INTER_AREA)
    tries = 0.0
    for key in "abcdefgh":
        params = plain(1, key)
        made = reflection.render(flat, params, assets(cat, params))
        assert isinstance(made, Noted)
        assert 0.55 <= made.notes["ssim"] < 1.0
        tries += made.notes["redraws"]
        mirrored = reflection.layers(flat, params, assets(cat, params))["reflection"]
        ratio = mixture.luminance(mirrored) / mixture.luminance(made.picture - mirrored)
        assert 100 * ratio == pytest.approx(params.reflected_pct, rel=1e-3)
    assert tries > 0


def test_a_bright_sky_gives_way_to_what_lies_below_it(light: Linear) -> None:
    """A partner that is mostly sky is mirrored in other views than the first; one that is all even is not refused."""
    things = np.random.default_rng(2).integers(0, 200, (80, 80, 3), dtype=np.uint8)
    sky = np.full((240, 320, 3), (120, 160, 230), np.uint8)
    sky[160:] = cv2.resize(things, (320, 80), interpolation=cv2.INTER_NEAREST)
    ramp = np.repeat(np.linspace(60, 250, 320)[None, :, None], 240, 0).repeat(3, 2).astype(np.uint8)
    redraws, left = [], 0
    for key in "abcdef":
        params = plain(4, key)
        chosen, notes = reflection._choose(light, sky, params, assets(sky, params))
        redraws.append(notes["redraws"])
        shown = view.cut(sky, chosen, params.glass.mirrored.zoom, (240, 320))
        mirrored = reflection.layers(light, params, assets(sky, params))["reflection"]
        left += usable.flatness(shown, mirrored) > 0.6
        assert isinstance(reflection.render(light, params, assets(ramp, params)), Noted)
    assert max(redraws) > 0
    assert left <= 2


@pytest.mark.parametrize(("behind", "before"), [(0, None), (None, 0), (None, 128)])
def test_black_photos_and_blank_partners_are_refused(clean: Srgb, partner: Srgb, behind: int | None, before: int | None) -> None:
    """No view of them is a reflection, and the refusal says so."""
    photo = clean if behind is None else np.full_like(clean, behind)
    other = partner if before is None else np.full_like(partner, before)
    params = plain(4)
    with pytest.raises(BadSample) as refusal:
        reflection.render(camera.to_linear(photo), params, assets(other, params))
    assert refusal.value.reason is Reason.NO_USABLE_MIXTURE


def test_a_dark_partner_is_refused_before_its_codes_show(light: Linear, partner: Srgb) -> None:
    """By the facts where they tell, else by the pictures."""
    facts = dataclasses.replace(FACTS, partner=Facts(320, 240, luminance=0.001))
    with pytest.raises(BadSample, match="too dark"):
        reflection.sample(stream(7, "reflection", "a"), reflection.ReflectionRanges(), facts, 5)
    params = plain(5)
    with pytest.raises(BadSample, match="too dark"):
        reflection.render(light, params, assets(partner // 16, params))


def test_without_a_second_photo_there_is_no_reflection(light: Linear) -> None:
    """The plan is told so by a reason, a caller of render by an error that names what is missing."""
    with pytest.raises(BadSample) as refusal:
        reflection.sample(stream(7, "reflection", "a"), reflection.ReflectionRanges(), Facts(320, 240), 3)
    assert refusal.value.reason is Reason.NO_SECOND_PHOTO
    with pytest.raises(ValueError, match=r"assets\.partner"):
        reflection.render(light, drawn(), Assets())


def test_every_kind_of_pane_is_drawn() -> None:
    """Single and double, whole and ending, dirty from the bank and without, in one light and in two."""
    params = [drawn(3, str(key)) for key in range(200)]
    for seen in (
        {one.glass.pane.glazing is None for one in params},
        {one.glass.edge is None for one in params},
        {one.glass.dirt is None for one in params},
        {one.glass.mirrored.curtain is None for one in params},
        {len(one.textures) for one in params},
        {one.glass.mirrored.photo_k == one.glass.mirrored.partner_k for one in params},
    ):
        assert len(seen) == 2


def test_most_reflections_are_sharp() -> None:
    """On a megapixel more than half of all draws blur the mirrored scene by less than two pixels, and some by more than five."""
    from degrade.glass import focus

    lenses = [drawn(3, str(key)).glass.focus for key in range(400)]
    discs = [focus.disc_px(lens, lens.mirrored_m, 512 / math.tan(HEIGHT_RAD / 2)) for lens in lenses]
    assert np.median(discs) < 2
    assert max(discs) > 5


@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (131, 64), (301, 517), (64, 900)])
def test_any_size_keeps_its_shape(shape: tuple[int, int], clean: Srgb, partner: Srgb) -> None:
    """Odd and small sizes render without holes."""
    photo, other = (cv2.resize(one, shape[::-1], interpolation=cv2.INTER_AREA) for one in (clean, partner))
    for key in "abc":
        params = drawn(4, key)
        made = reflection.render(camera.to_linear(photo), params, assets(other, params)).picture
        assert made.shape == (*shape, 3)
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert made.min() >= 0


def test_light_beyond_white_is_kept(light: Linear, partner: Srgb) -> None:
    """What a step before has recovered passes the glass as it is."""
    lamp = light.copy()
    lamp[100:110, 100:110] = 20.0
    made, _ = mixed(lamp, plain(2), partner)
    assert 8 < float(made[100:110, 100:110].min()) < 25


def test_mild_is_mild_and_usable_on_real_photos(data: Path) -> None:
    """At stratum 1 photos in each other's windows stay above 25 dB, at stratum 5 they do not, and nearly none is refused."""
    names = ("street_shop_text", "museum_case_glass", "lake_village_depth4", "cars_street_dusk", "sunflowers_sky", "street_london")
    small = [cv2.resize(cv2.imread(str(data / "clean" / f"{name}.jpg"), cv2.IMREAD_REDUCED_COLOR_4), (288, 192)) for name in names]
    photos = [np.ascontiguousarray(photo[..., ::-1]) for photo in small]
    values: dict[int, list[float]] = {1: [], 5: []}
    for stratum, kept in values.items():
        for at, photo in enumerate(photos):
            params = drawn(stratum, names[at])
            try:
                made = reflection.render(camera.to_linear(photo), params, assets(photos[at - 1], params)).picture
            except BadSample:
                continue
            kept.append(cv2.PSNR(photo, camera.to_srgb(made)))
        assert len(kept) >= 5
    assert np.median(values[1]) > 27
    assert min(values[1]) > 23
    assert max(values[5]) < 20
