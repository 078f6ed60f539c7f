"""Fog images are density: they thicken the air, keep its mean, and end nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.air.banks import THINNEST, Bank, relative_density
from degrade.contract import Texture

MIDDLE = Bank(x_frac=0.5, y_frac=0.5, size_frac=0.8, flatness=1.0, angle_deg=0.0, mirrored=False, strength=1.0)
SHAPE = (120, 160)


def image(alpha: int = 255, value: int = 255, shape: tuple[int, int] = (200, 200)) -> Texture:
    """An even picture."""
    texture = np.full((*shape, 4), value, np.uint8)
    texture[..., 3] = alpha
    return texture


def test_density_is_one_on_average_and_greater_where_the_image_is() -> None:
    """Banks move fog, they do not add any."""
    density = relative_density([image()], [MIDDLE], SHAPE)
    assert density.dtype == np.float32
    assert density.mean() == pytest.approx(1.0, abs=1e-3)
    assert density[60, 80] - density[2, 2] == pytest.approx(MIDDLE.strength, rel=0.02)


@pytest.mark.parametrize("nothing", [image(alpha=0), image(value=0)])
def test_transparent_and_black_images_are_no_fog(nothing: Texture) -> None:
    """What neither covers nor shines has no density."""
    assert np.allclose(relative_density([nothing], [MIDDLE], SHAPE), 1)


def test_a_dim_image_is_as_dense_as_a_bright_one() -> None:
    """The strength is drawn; the picture's exposure does not decide it."""
    assert np.allclose(relative_density([image(value=120)], [MIDDLE], SHAPE), relative_density([image()], [MIDDLE], SHAPE), atol=1e-3)


def test_a_photo_that_fills_its_frame_leaves_no_straight_edge() -> None:
    """Over its rim the density falls gently."""
    density = relative_density([image()], [MIDDLE], SHAPE)
    assert max(np.abs(np.diff(density, axis=axis)).max() for axis in (0, 1)) < 0.2


def test_a_bank_lies_where_it_is_put_at_any_size() -> None:
    """Places and sizes are relative: the same bank in a picture twice as large is the same bank."""
    bank = MIDDLE._replace(x_frac=0.25, y_frac=0.75, size_frac=0.4, flatness=0.5, angle_deg=30.0)
    small, large = relative_density([image()], [bank], SHAPE), relative_density([image()], [bank], (240, 320))
    assert np.abs(large.reshape(120, 2, 160, 2).mean((1, 3)) - small).max() < 0.05
    y, x = np.unravel_index(small.argmax(), small.shape)
    rows, columns = np.nonzero(small > small.max() - 0.1)
    assert rows.mean() == pytest.approx(0.75 * 120, abs=2)
    assert columns.mean() == pytest.approx(0.25 * 160, abs=2)
    assert small[y, x] > small[10, 150]


def test_a_flat_bank_is_wider_than_high_and_a_mirrored_one_mirrored() -> None:
    """Flattening acts on the height, mirroring on the width."""
    half = image()
    half[:, :100] = 0
    flat = relative_density([image()], [MIDDLE._replace(flatness=0.4)], SHAPE) > 1.3
    assert flat.any(0).sum() > 2 * flat.any(1).sum()
    one, other = (relative_density([half], [MIDDLE._replace(mirrored=mirrored)], SHAPE) for mirrored in (False, True))
    assert one[60, 100] > one[60, 60]
    assert np.allclose(one, other[:, ::-1], atol=0.05)


def test_air_is_never_cleared_altogether() -> None:
    """The strongest bank leaves some haze beside it."""
    density = relative_density([image()], [MIDDLE._replace(strength=9.0)], SHAPE)
    assert density.min() == pytest.approx(THINNEST)


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (64, 64), (900, 20)])
def test_images_of_any_size_are_read(shape: tuple[int, int]) -> None:
    """A pixel and a ribbon are images too."""
    assert np.isfinite(relative_density([image(shape=shape)], [MIDDLE], SHAPE)).all()
