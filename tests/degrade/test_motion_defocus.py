"""Defocus is the picture of the aperture, as large as the distance from the plane of focus makes it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from degrade import camera, psf
from degrade.contract import Linear, Srgb
from degrade.motion import defocus, fill

EVERYWHERE = defocus.Lens(focus=0.0, miss=1.0, blades=0, roundness=0.5, turn_deg=0.0)
NEAR = defocus.Lens(focus=0.0, miss=0.0, blades=0, roundness=0.5, turn_deg=0.0)
FAR = NEAR._replace(focus=1.0)
PARTS = (slice(20, 108), slice(148, 236), slice(276, 364))  # of three things side by side, without their outlines


def halves(near: float, far: float) -> tuple[Linear, np.ndarray]:
    """Return a scene whose left half is near, and its inverse depth."""
    light = np.full((256, 256, 3), far, np.float32)
    light[:, :128] = near
    inverse = np.zeros((256, 256), np.float32)
    inverse[:, :128] = 1
    return light, inverse


@pytest.mark.parametrize("length", [8.0, 20.0, 40.0])
def test_a_lamp_becomes_a_disc_of_its_diameter(length: float) -> None:
    """A point is spread evenly over a disc, also where the work is done at a fraction of the size, and keeps its light."""
    light = np.zeros((256, 256, 3), np.float32)
    light[127:129, 127:129] = 100
    seen = defocus.render(light, EVERYWHERE, length, np.ones((32, 32), np.float32))[..., 1].astype(np.float64)
    diameter = psf.disc_for(length)
    y, x = np.mgrid[:256, :256] - 127.5
    spread = np.sqrt((seen * (x**2 + y**2)).sum() / seen.sum())
    assert seen.sum() == pytest.approx(400, rel=0.02)
    assert spread == pytest.approx(np.hypot(length / np.sqrt(12), 1.2), rel=0.12)
    inside = seen[np.hypot(x, y) < diameter / 2 - 3]
    if inside.size > 40:
        assert inside.std() < 0.2 * inside.mean()


def test_the_plane_of_focus_is_sharp_and_the_rest_is_not(astronaut: Srgb) -> None:
    """With the focus near, the near half is the photo itself; the far half is blurred."""
    light = camera.to_linear(astronaut[:256, :256])
    _, inverse = halves(0, 0)
    seen = defocus.render(light, NEAR, 16.0, inverse)
    off = np.abs(seen - light).mean(axis=(0, 2))
    assert off[:110].max() < 1e-4
    assert off[150:].mean() > 0.01


@pytest.mark.parametrize("length", [12.0, 24.0, 48.0])
@pytest.mark.parametrize("depth", [0.03, 0.3, 0.5, 0.7, 0.97])
def test_the_plane_of_focus_is_sharp_wherever_it_lies(astronaut: Srgb, depth: float, length: float) -> None:
    """A thing in focus between a farther and a nearer one keeps its detail, whatever its depth among theirs; the others lose theirs."""
    light = camera.to_linear(astronaut[:256, :384])
    inverse = np.zeros((256, 384), np.float32)
    inverse[:, 128:256], inverse[:, 256:] = depth, 1
    seen = defocus.render(light, NEAR._replace(focus=0.5), length, inverse)
    far, middle, near = (float(np.abs(np.diff(seen[:, part], axis=1)).mean() / np.abs(np.diff(light[:, part], axis=1)).mean()) for part in PARTS)
    assert middle > 0.97
    assert min(far, near) < 0.6


@pytest.mark.parametrize("focus", [-0.2, 0.1, 0.101, 0.15, 0.43, 0.5, 0.77, 0.899, 0.9, 3.0])
def test_layers_touch_and_one_of_them_is_the_plane_of_focus(focus: float) -> None:
    """They rise from the farthest to the nearest depth without a gap wider than a third of that, and none is empty."""
    slabs = defocus.layers(0.1, 0.9, focus)
    here = np.array([slab.here for slab in slabs])
    assert len(slabs) == defocus.LAYERS
    assert np.abs(here - np.clip(focus, 0.1, 0.9)).min() < 1e-9
    assert [here[0], here[-1]] == pytest.approx([0.1, 0.9], abs=0.8 * defocus.AT_END)
    assert np.diff(here).min() > 0.8 * defocus.AT_END
    assert np.diff(here).max() < 0.8 / 3
    assert all(before.nearer == after.here and after.farther == before.here for before, after in itertools.pairwise(slabs))


def test_a_sharp_thing_leaves_no_halo_on_a_blurred_ground() -> None:
    """A white near thing in focus does not shine into the dark far half that is out of focus."""
    light, inverse = halves(1.0, 0.1)
    seen = defocus.render(light, NEAR, 24.0, inverse)[128, :, 1]
    assert seen[:124].min() > 0.98
    assert seen[134:].max() < 0.16


def test_a_blurred_thing_softens_over_a_sharp_ground() -> None:
    """A white near thing out of focus spreads over the far half, and lets it through within its own outline."""
    light, inverse = halves(1.0, 0.1)
    seen = defocus.render(light, FAR, 24.0, inverse)[128, :, 1]
    assert 0.15 < seen[132] < 0.6
    assert 0.5 < seen[123] < 0.97
    assert np.abs(np.diff(seen)).max() < 0.12  # one soft passage, no step


def test_light_is_kept_where_depth_is_a_slope(astronaut: Srgb) -> None:
    """Layers do not show: an even grey on a slope stays even, and a photo keeps its mean."""
    slope = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[:, None], 64, 1)
    grey = np.full((192, 192, 3), 0.3, np.float32)
    assert np.abs(defocus.render(grey, NEAR._replace(focus=0.5), 20.0, slope) - 0.3).max() < 1e-3
    light = camera.to_linear(astronaut[:256, :256])
    assert defocus.render(light, NEAR, 20.0, slope).mean() == pytest.approx(light.mean(), rel=0.01)


def test_a_hole_is_filled_from_what_is_beside_it() -> None:
    """What is hidden continues its surroundings; what is known stays."""
    light = np.full((80, 96, 3), 0.4, np.float32)
    known = np.ones((80, 96), np.float32)
    light[30:50, 30:60], known[30:50, 30:60] = 9.0, 0.0
    made = fill.filled(light, known)
    assert np.abs(made - 0.4).max() < 0.02
    assert np.array_equal(fill.filled(light, np.zeros_like(known)), light)
