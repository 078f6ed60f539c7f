"""Resizing keeps pictures in place and hands an equal size back as it is."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.coding.resampling import GROW, SHRINK, resized
from degrade.contract import Srgb


def test_an_equal_size_is_the_picture_itself(rocket: Srgb) -> None:
    """Nothing is copied where nothing changes."""
    assert resized(rocket, (rocket.shape[1], rocket.shape[0]), "cubic") is rocket


@pytest.mark.parametrize("name", SHRINK)
def test_there_and_back_keeps_a_ramp(name: str) -> None:
    """A ramp is a ramp after shrinking and growing, away from its ends: no filter shifts."""
    ramp = np.repeat(np.linspace(20, 230, 200)[None, :, None], 60, axis=0).repeat(3, axis=2).astype(np.uint8)
    back = resized(resized(ramp, (124, 37), name), (200, 60), name)
    assert np.abs(back[:, 12:-12].astype(int) - ramp[:, 12:-12]).max() <= 2
    assert set(GROW) == set(SHRINK)
