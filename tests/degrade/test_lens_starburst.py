"""Starbursts are diffraction: spikes by blades, scale by wavelength, streaks across strokes."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.contract import Linear
from degrade.lens import starburst
from degrade.lens.aperture import SIDE_PX, Aperture, pupil

CLEAN = Aperture(6, 0.0, 10.0, 0.0, 0.0, 0.0, 0.0, 4)
HALF = starburst.SPREAD_PX // 2


def around(pattern: Linear, low: float, high: float) -> np.ndarray:
    """Return the light between two radii, shares of the pattern's, by degree of direction."""
    rows, columns = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    radius = np.hypot(columns, rows) / HALF
    ring = (radius > low) & (radius < high)
    degree = np.degrees(np.arctan2(rows, columns))[ring].astype(int) % 360
    return np.bincount(degree, pattern.sum(2)[ring], 360) / np.maximum(np.bincount(degree, minlength=360), 1)


@pytest.mark.parametrize(("blades", "spikes"), [(5, 10), (6, 6), (7, 14), (8, 8)])
def test_an_even_iris_has_as_many_spikes_as_blades_an_odd_one_twice_as_many(blades: int, spikes: int) -> None:
    """Every straight edge diffracts to both sides; opposite edges share their spikes."""
    profile = around(starburst.pattern(CLEAN._replace(blades=blades), 0.01), 0.2, 0.45)
    spectrum = np.abs(np.fft.rfft(profile - profile.mean()))
    assert spectrum[1 : spikes + spikes // 2].argmax() + 1 == spikes


def test_spikes_stand_at_right_angles_to_the_blades() -> None:
    """The first blade faces its rotation angle, and so does its spike."""
    profile = around(starburst.pattern(CLEAN._replace(rotation_deg=25.0), 0.01), 0.2, 0.45)
    assert min(abs(int(profile.argmax()) - (25 + 60 * side)) for side in range(6)) <= 3


def test_a_round_iris_has_no_spikes() -> None:
    """Roundness takes the edges away that spikes come from."""
    sharp, soft = (around(starburst.pattern(CLEAN._replace(roundness=roundness), 0.01), 0.2, 0.45) for roundness in (0.0, 1.0))
    assert sharp.max() / sharp.mean() > 5
    assert soft.max() / soft.mean() < 2


def test_red_light_spreads_farther_than_blue() -> None:
    """The pattern scales with the wavelength."""
    pattern = starburst.pattern(CLEAN._replace(grease=0.6, dust=0.5), 0.01)
    rows, columns = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    radius = np.hypot(columns, rows)
    mean = [float((pattern[..., channel] * radius).sum() / pattern[..., channel].sum()) for channel in range(3)]
    assert mean[0] > mean[1] > mean[2]


def test_white_light_stays_white_as_a_whole() -> None:
    """No channel is favoured: what a spectrum loses inside it gains outside."""
    total = starburst.pattern(CLEAN, 0.006).sum((0, 1))
    assert total[1] == pytest.approx(1.0, abs=1e-3)
    assert np.ptp(total) < 0.3


def test_strokes_on_the_glass_make_a_streak_across_them() -> None:
    """A cloth that went along 30 degrees leaves a streak at 120."""
    profile = around(starburst.pattern(CLEAN._replace(roundness=1.0, strokes=0.6, stroke_deg=30.0), 0.01), 0.25, 0.6)
    smooth = np.convolve(np.concatenate([profile, profile[:20]]), np.ones(20) / 20, "valid")[:360]
    assert abs((int(smooth.argmax()) + 10) % 180 - 120) < 15


def test_dust_makes_fibres_between_the_spikes() -> None:
    """The dark gaps of a clean iris fill on dirty glass."""
    clean, dirty = (around(starburst.pattern(CLEAN._replace(dust=dust, grease=dust), 0.01), 0.2, 0.45) for dust in (0.0, 0.7))
    assert np.quantile(dirty, 0.2) / dirty.mean() > 2 * np.quantile(clean, 0.2) / clean.mean()


def test_glass_passes_light_but_does_not_make_it() -> None:
    """The amplitude of the pupil lies in 0..1, and dirt lowers its energy."""
    energy = [float((pupil(CLEAN._replace(dust=dust)) ** 2).sum()) for dust in (0.0, 1.0)]
    assert np.hypot(*np.moveaxis(pupil(CLEAN._replace(dust=0.5, grease=1.0)), -1, 0)).max() <= 1 + 1e-5
    assert 0.5 * energy[0] < energy[1] < 0.99 * energy[0]
    assert pupil(CLEAN).shape == (SIDE_PX, SIDE_PX, 2)


@pytest.mark.parametrize("at", [(100.0, 80.0), (100.4, 79.7)])
def test_the_pattern_is_centred_on_the_light(at: tuple[float, float]) -> None:
    """Point symmetric patterns have their centroid on the light, between pixels too, and keep their energy."""
    canvas = np.zeros((200, 220, 3), np.float32)
    starburst.place(canvas, starburst.pattern(CLEAN, 0.01), at, np.array([1.0, 2.0, 3.0]), 60.0)
    grey = canvas[..., 1].astype(np.float64)
    rows, columns = np.mgrid[0:200, 0:220]
    assert (columns * grey).sum() / grey.sum() == pytest.approx(at[0], abs=0.3)
    assert (rows * grey).sum() / grey.sum() == pytest.approx(at[1], abs=0.3)
    assert canvas[..., 1].sum() == pytest.approx(2.0, rel=0.06)  # resampling to a third of its size


def test_a_large_lamp_has_broad_spikes() -> None:
    """The pattern is smeared over the lamp's own size."""
    sharp, broad = (around(starburst.pattern(CLEAN, radius), 0.2, 0.45) for radius in (0.001, 0.06))
    assert sharp.max() / sharp.mean() > 1.5 * broad.max() / broad.mean()


def test_a_light_far_outside_adds_nothing() -> None:
    """Out of reach is out of the picture."""
    canvas = np.zeros((100, 100, 3), np.float32)
    starburst.place(canvas, starburst.pattern(CLEAN, 0.01), (-400.0, 50.0), np.ones(3), 60.0)
    assert canvas.sum() == 0.0
