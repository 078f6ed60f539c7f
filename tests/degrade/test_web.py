"""The web's chain is drawn as published, dialled into its stratum, and hurts as much as it says."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from degrade.contract import STRATA, Assets, Facts, Srgb
from degrade.record import from_record, to_record
from degrade.stream import stream
from degrade.upload.presets import PRESETS
from degrade.web import GENERATOR, WebParams, WebRanges, render, sample, severity

FACTS = Facts(512, 512)
RANGES = WebRanges()


def draw(number: int, stratum: int, ranges: WebRanges = RANGES) -> WebParams:
    """Return the chain of a numbered stream."""
    return sample(stream(1, "web", str(number)), ranges, FACTS, stratum)


def test_every_draw_meets_its_stratum() -> None:
    """The severity of every draw lies strictly in the band asked for, and the record keeps it exactly."""
    for number in range(2000):
        stratum = 1 + number % STRATA
        params = draw(number, stratum)
        low, high = GENERATOR.band(stratum)
        assert low < severity(params) < high
        assert from_record(WebParams, to_record(params)) == params


def test_mild_strata_take_the_light_pass_and_hard_ones_two() -> None:
    """Strata 1 and 2 keep the size and pass once; 3 to 5 pass twice and end small."""
    for number in range(200):
        light, heavy = draw(number, 1 + number % 2), draw(number, 3 + number % 3)
        assert (len(light.passes), light.finish.scale) == (1, 1.0)
        assert len(heavy.passes) == 2
        assert heavy.finish.scale <= 1.0


def test_light_draws_stay_in_the_published_light_ranges() -> None:
    """RealRestorer's web augmentation: blur up to 1.2 px, noise 1 to 10, JPEG 60 to 95, half of the size at least."""
    for number in range(600):
        one = draw(number, 1 + number % 2).passes[0]
        assert one.ringing is None
        assert one.kernel is None or one.kernel.sigma_px <= 1.2
        assert one.speckle is None or 1.0 <= one.speckle.sigma <= 10.0
        assert 60 <= one.quality <= 95
        assert 0.5 <= one.scale <= 1.0


def test_heavy_draws_stay_in_real_esrgans_ranges() -> None:
    """Nothing exceeds the published first and second order."""
    for number in range(600):
        params = draw(number, 3 + number % 3, WebRanges(heavy={"real_esrgan": 1.0}))
        for one, widest, noisiest in zip(params.passes, (3.0, 1.5), (33.9, 28.3), strict=True):
            assert one.kernel is None or one.kernel.across_px <= one.kernel.sigma_px <= widest
            assert one.kernel is None or one.kernel.side_px in range(7, 22, 2)
            assert one.speckle is not None
            assert one.speckle.sigma <= noisiest
            assert 30 <= one.quality <= 95
        assert 0.15 <= params.passes[0].scale <= 1.5
        assert 0.3 - 1e-9 <= params.passes[1].scale / params.finish.scale <= 1.2 + 1e-9
        assert 0.25 <= params.finish.scale <= 1.0


def test_a_preset_too_mild_for_a_stratum_is_drawn_at_its_worst() -> None:
    """A light chain asked for the heaviest stratum never leaves its published ranges, and stays as near to the stratum as they let it."""
    ranges = WebRanges(heavy={"realrestorer": 1.0})
    for number in range(600):
        params = draw(number, 3 + number % 3, ranges)
        one = params.passes[0]
        assert 60 <= one.quality <= 95
        assert 0.5 - 1e-9 <= one.scale <= 0.9
        assert one.kernel is None or one.kernel.sigma_px <= 1.2 + 1e-9
        assert one.speckle is None or one.speckle.sigma <= 10.0 + 1e-9
    assert one.quality == 60
    assert one.scale == pytest.approx(0.5)


def test_kernels_have_the_odd_sides_that_are_allowed() -> None:
    """Bounds that are even, or between two numbers, are not left."""
    for bounds, sides in (((8, 12), {9, 11}), ((7.5, 9.5), {9}), ((11, 11), {11})):
        chains = [draw(number, 3 + number % 3, WebRanges(side_px=bounds)) for number in range(60)]
        assert {one.kernel.side_px for chain in chains for one in chain.passes if one.kernel} == sides
        assert {one.ringing.side_px for chain in chains for one in chain.passes if one.ringing} <= sides


def test_every_kind_of_step_is_drawn() -> None:
    """A thousand hard chains meet both kernel families, ringing, both noises, grey ones, both orders, enlarging and none."""
    chains = [draw(number, 3 + number % 3) for number in range(1000)]
    passes = [one for chain in chains for one in chain.passes]
    assert {one.kernel.family for one in passes if one.kernel} == {"gaussian", "plateau"}
    assert any(one.ringing for one in passes)
    assert any(one.kernel is None and one.ringing is None for one in passes)
    assert {(one.speckle.kind, one.speckle.grey) for one in passes if one.speckle} == set(itertools.product(("gaussian", "poisson"), (True, False)))
    assert {chain.finish.saved_last for chain in chains} == {True, False}
    assert {chain.finish.ringing is None for chain in chains} == {True, False}
    assert any(one.scale > 1 for one in passes)
    assert 0.3 < np.mean([one.speckle.grey for one in passes if one.speckle]) < 0.5


@pytest.mark.parametrize(("preset", "strata"), [("real_esrgan", (2, 3, 4, 5)), ("stablesr", (1, 2, 3, 4)), ("realrestorer", (1, 2))])
def test_presets_serve_beyond_their_own_strata(preset: str, strata: tuple[int, ...]) -> None:
    """The dial makes Real-ESRGAN's chains mild enough for stratum 2, and StableSR's for stratum 1."""
    assert preset in PRESETS
    ranges = WebRanges(light={preset: 1.0}, heavy={preset: 1.0})
    for stratum in strata:
        for number in range(50):
            assert GENERATOR.stratum(severity(draw(number, stratum, ranges))) == stratum


def test_a_recipe_narrows_everything() -> None:
    """A narrowed recipe is kept to, whatever the preset says."""
    ranges = WebRanges(quality=(50, 60), noise=(2, 4), resampling={"linear": 1.0}, grow={"lanczos": 1.0}, factor=(2, 2), side_px=(11, 13))
    for number in range(200):
        params = draw(number, 3 + number % 3, ranges)
        assert params.finish[1::3] == ("linear", "lanczos")
        assert params.finish.scale == 0.5
        for one in params.passes:
            assert 50 <= one.quality <= 60
            assert one.speckle is None or 2 <= one.speckle.sigma <= 4
            assert one.kernel is None or one.kernel.side_px in (11, 13)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"heavy": {"real_esgran": 1.0}}, "did you mean `real_esrgan`"),
        ({"grow": {"area": 1.0}}, "unknown name `area`"),
        ({"light": {"realrestorer": 0.0}}, "weight above 0"),
        ({"quality": [90, 40]}, "reversed"),
        ({"side_px": [13, 11]}, "reversed"),
        ({"side_px": [8, 8]}, "holds no odd number"),
    ],
)
def test_impossible_recipes_are_refused(values: dict[str, object], word: str) -> None:
    """Unknown names and ranges that leave nothing to draw raise with a hint."""
    with pytest.raises(ValidationError, match=word):
        WebRanges(**values)  # type: ignore[arg-type]


def test_strata_hurt_in_order_and_the_first_is_mild(astronaut: Srgb, rocket: Srgb) -> None:
    """Over photos, median PSNR falls from stratum to stratum; nine in ten of the mildest stay above 27 dB, the hardest fall below 27."""
    photos = [cv2.resize(photo, (256, 192), interpolation=cv2.INTER_AREA) for photo in (astronaut, rocket)]
    psnr = np.array([[cv2.PSNR(photos[n % 2], render(photos[n % 2], draw(n, s), Assets()).pixels) for n in range(40)] for s in range(1, STRATA + 1)])
    assert (np.diff(np.median(psnr, axis=1)) < -0.5).all()
    assert np.percentile(psnr[0], 10) > 27
    assert np.median(psnr[4]) < 27


def test_each_photo_has_numbers_of_its_own() -> None:
    """No two draws share a kernel, a noise or a size, as batches of others do."""
    chains = [draw(number, 4) for number in range(100)]
    assert len({chain.passes[0].scale for chain in chains if chain.passes[0].scale != 1.0}) > 60
    assert len({one.speckle.seed for chain in chains for one in chain.passes if one.speckle}) == 200
