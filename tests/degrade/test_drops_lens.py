"""A drop on the lens shows the scene upside down, dark at its rim, and leaves the rest of the picture alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.contract import Linear, Map
from degrade.drops import lens

DROPS = lens.LensDrops(cover=0.03, radius_frac=0.04, spread=0.1, blur_frac=0.002, view=1.0, seed=3)


def halves() -> Linear:
    """Return a scene with a bright sky over dark ground."""
    scene = np.full((96, 96, 3), 0.05, np.float32)
    scene[:48] = 0.8
    return scene


def one(*disc: float) -> tuple[lens.Discs, Map]:
    """Return a round drop."""
    return lens.Discs(*(np.array([value], np.float32) for value in disc)), np.zeros((1, 8), np.float32)


def test_a_drop_shows_the_scene_upside_down() -> None:
    """Drops in the middle of the picture are bright below and dark above."""
    light, opacity = np.zeros((200, 200, 3), np.float32), np.zeros((200, 200), np.float32)
    lens._put(light, opacity, halves(), 1.0, *one(100.0, 100.0, 20.0))
    assert light[110, 100].mean() > 5 * light[90, 100].mean()
    assert opacity[100, 100] == 1


def test_less_light_gets_through_at_the_rim() -> None:
    """In an even scene a drop is darker at its edge than in its middle, and only its lower side, which sees more sky, outshines the scene."""
    light, opacity = np.zeros((200, 200, 3), np.float32), np.zeros((200, 200), np.float32)
    lens._put(light, opacity, np.full((96, 96, 3), 0.5, np.float32), 1.0, *one(100.0, 100.0, 20.0))
    assert light[100, 100, 0] == pytest.approx(0.5, abs=2e-3)
    assert light[100, 118, 0] < 0.35
    assert light[:100].max() <= 0.5 + 1e-6
    assert 0.55 < light[100:, 100].max() < 1.0


def test_the_covered_share_is_about_what_was_asked() -> None:
    """Averaged over seeds the opacity is the cover, less what overlaps and what the outline takes."""
    shares = [float(lens.wet(halves(), DROPS._replace(seed=seed), 240, 320).opacity.mean()) for seed in range(12)]
    assert 0.4 * DROPS.cover < np.mean(shares) < 1.6 * DROPS.cover


def test_many_small_drops_cover_what_is_asked_too() -> None:
    """However small they are, there are as many as it takes; side by side, a share c of the picture is covered to 1 - exp(-c)."""
    small = DROPS._replace(cover=0.14, radius_frac=0.012)
    shares = [float(lens.wet(halves(), small._replace(seed=seed), 400, 400).opacity.mean()) for seed in range(4)]
    assert np.mean(shares) == pytest.approx(1 - math.exp(-0.14), rel=0.15)


def test_drops_drawn_at_once_are_those_drawn_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many go into a batch changes no drop."""
    together = lens.wet(halves(), DROPS._replace(spread=0.5), 240, 320)
    monkeypatch.setattr(lens, "BATCH_PX", 1)
    alone = lens.wet(halves(), DROPS._replace(spread=0.5), 240, 320)
    assert np.abs(together.light - alone.light).max() < 1e-4
    assert np.abs(together.opacity - alone.opacity).max() < 1e-4


def test_blur_softens_the_outline() -> None:
    """Out of focus a drop's edge is wide; its light is kept."""
    sharp, soft = (lens.wet(halves(), DROPS._replace(blur_frac=blur), 240, 240) for blur in (0.002, 0.015))
    steepest = [float(np.abs(np.diff(made.opacity, axis=0)).max()) / made.step for made in (sharp, soft)]
    assert steepest[0] > 2 * steepest[1]
    assert float(sharp.opacity.mean()) == pytest.approx(float(soft.opacity.mean()), rel=0.1)


def test_no_drop_is_softer_than_it_is_large() -> None:
    """However far out of focus the glass is said to be, a small drop keeps a core that hides what is behind it."""
    made = lens.wet(halves(), DROPS._replace(radius_frac=0.02, blur_frac=0.1, seed=7), 400, 400)
    assert made.opacity.max() > 0.8


def test_drops_at_the_edge_and_in_tiny_pictures_are_no_error() -> None:
    """Any size gives finite light and opacity in 0..1."""
    for height, width in ((64, 64), (64, 400), (401, 64)):
        made = lens.wet(halves(), DROPS._replace(cover=0.3), height, width)
        assert np.isfinite(made.light).all()
        assert 0 <= made.opacity.min() <= made.opacity.max() <= 1 + 1e-5
