"""The curtain has the mean and the variance of the streaks that it stands for, drawn out as they are."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.drops import curtain, flight, population, splat

CAMERA = flight.view(256, 256, 0.5, 0.75)


def look(rate: float = 30.0, **shutter: float) -> curtain.Texture:
    settings = flight.Shutter(10.0, 2.0, 8.0, 0.0, 0.0, 0.02)._replace(**shutter)
    kappa = population.reach_m_per_mm(rate, CAMERA.steradian, 20.0)
    return curtain.texture(rate, kappa, population.near_m(rate, kappa), settings, CAMERA)


@pytest.mark.parametrize("rate", [3.0, 30.0, 150.0])
def test_the_field_has_the_texture_s_mean_and_spread(rate: float) -> None:
    """Mean to 2 %, standard deviation to a third: what is thinner than a pixel is smoothed."""
    texture = look(rate)
    field = curtain.cover(texture, 5, 256, 256)
    assert float(field.min()) > 0
    assert float(field.mean()) == pytest.approx(texture.mean, rel=0.05)
    assert float(field.std()) == pytest.approx(texture.sigma, rel=0.34)


def test_the_variance_is_that_of_drops_drawn_one_by_one() -> None:
    """Campbell's sum agrees with the streaks of a real draw of the same slab, within a third."""
    rate, shutter = 8.0, flight.Shutter(20.0, 2.0, 8.0, 0.0, 0.0, 0.02)
    texture = curtain.texture(rate, 0.0, 1.5, shutter, CAMERA)  # kappa 0: no drop is drawn by itself
    slope, rng = population.slope_per_mm(rate), np.random.default_rng(1)
    edge = curtain.DEPTH * 1.5
    count = round(population.PER_M3_MM / slope * CAMERA.steradian / 3 * (edge**3 - 1.5**3))
    distance = np.cbrt(rng.uniform(1.5**3, edge**3, count)).astype(np.float32)
    diameter = np.maximum(rng.exponential(1 / slope, count), 0.25).astype(np.float32)
    rain = population.Rain(rng.random(count, np.float32), rng.random(count, np.float32), distance, diameter)
    layer = splat.cover(flight.streaks(rain, shutter, CAMERA, 1), np.full((8, 8), 1e6, np.float32), 256, 256)
    assert float(layer.mean()) == pytest.approx(texture.mean, rel=0.1)
    assert float(layer.std()) == pytest.approx(texture.sigma, rel=0.34)


def test_the_field_is_drawn_out_along_the_fall() -> None:
    """Neighbours along the slant are alike, those across are not."""
    texture = look(wind_m_s=3.0, exposure_ms=40.0)
    field = curtain.cover(texture, 5, 256, 256)
    field = (field - field.mean()) / field.std()
    step = round(texture.down / 2)
    aside = round(step * texture.across / texture.down)
    along = float((field[:-step, : -aside or None] * field[step:, aside:]).mean())
    against = float((field[:-step, aside:] * field[step:, : -aside or None]).mean())
    assert along > 0.2
    assert along > against + 0.2


def test_another_seed_is_another_curtain() -> None:
    """The field is a pure function of its seed."""
    first, again, other = (curtain.cover(look(), seed, 96, 128) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
