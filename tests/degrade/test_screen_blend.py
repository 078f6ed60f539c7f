"""Blending keeps brightness and place, and takes from a photo of moire its bands alone."""

from __future__ import annotations

import numpy as np

from degrade import camera
from degrade.contract import Linear, Texture
from degrade.screen import blend
from degrade.screen.blend import Light, Placement

WHOLE = Placement(1.0, 0.5, 0.5, 0.0, mirrored=False, weight=1.0)
QUIET = Light(0.2, 0.7, 0.0, 3)


def bank_photo(bands: int = 16, depth: float = 0.3) -> Texture:
    """Return a photo of a lit grey screen with upright red and green bands, brighter on its right."""
    x = np.arange(256) / 256
    wave = depth * np.sin(2 * np.pi * bands * x)
    light = 0.3 * (0.6 + 0.8 * x)[:, None] * np.stack([1 + wave, 1 - wave, np.ones(256)], -1)
    photo = camera.to_srgb(np.broadcast_to(light.astype(np.float32), (200, 256, 3)).copy())
    return np.dstack([photo, np.full((200, 256), 255, np.uint8)])


def grey(level: float = 0.25) -> Linear:
    """Return an even grey, 200 x 256."""
    return np.full((200, 256, 3), level, np.float32)


def test_a_photo_of_moire_gives_its_bands_and_not_its_lighting() -> None:
    """The contrast is the one asked for, the bands stand where they stood, left and right are alike to 6 % and not as 4 to 7."""
    light = camera.to_linear(blend.blended(grey(), (), [(bank_photo(), WHOLE)], QUIET)) / 0.25
    assert np.isclose(light.std(), 0.2, rtol=0.1)
    assert np.abs(np.fft.rfft(light[..., 0].mean(0) - 1)).argmax() == 16
    assert abs(light[:, :128].mean() - light[:, 128:].mean()) < 0.06
    assert abs(light.mean() - 1) < 0.01


def test_what_is_transparent_in_a_photo_of_moire_is_not_laid() -> None:
    """Where alpha is nought the picture stays as it was."""
    texture = bank_photo()
    texture[:, :128, 3] = 0
    light = camera.to_linear(blend.blended(grey(), (), [(texture, WHOLE)], QUIET)) / 0.25
    assert light[:, :112, 0].std() < 0.02
    assert light[:, 144:, 0].std() > 0.2


def test_a_photo_without_bands_does_not_bring_up_its_noise() -> None:
    """A blank page of a bank, noise and all, is laid far fainter than the contrast asked for."""
    rng = np.random.default_rng(1)
    texture = np.full((200, 256, 4), 255, np.uint8)
    texture[..., :3] = 180 + rng.integers(-1, 2, (200, 256, 3))
    light = camera.to_linear(blend.blended(grey(), (), [(texture, WHOLE)], QUIET)) / 0.25
    assert light.std() < 0.12


def test_patterns_share_the_contrast() -> None:
    """Two photos of moire across each other have the same RMS together as one alone."""
    across = WHOLE._replace(turn_deg=90.0)
    light = camera.to_linear(blend.blended(grey(), (), [(bank_photo(), WHOLE), (bank_photo(11), across)], QUIET)) / 0.25
    assert np.isclose(light.std(), 0.2, rtol=0.1)


def test_dark_strokes_carry_some_of_the_pattern() -> None:
    """A black line on grey shows bands by the light around it, unless everything multiplies."""
    page = grey()
    page[:, 126:130] = 0
    level = {}
    for multiplied in (0.65, 1.0):
        shown = blend.blended(page, (), [(bank_photo(), WHOLE._replace(turn_deg=90.0))], QUIET._replace(multiplied=multiplied))
        level[multiplied] = shown[:, 127:129, 0].std()
    assert level[1.0] == 0
    assert level[0.65] > 4
