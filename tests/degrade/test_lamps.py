"""Lamps are the last to vanish."""

from __future__ import annotations

import numpy as np

from degrade import haze
from degrade.air import lamps
from degrade.contract import Assets, Facts
from degrade.stream import stream

NO_SKY = np.zeros((96, 128), np.float32)


def street(level: float) -> np.ndarray:
    """A lamp on an even background."""
    light = np.full((96, 128, 3), level, np.float32)
    light[20:26, 60:66] = 1.0
    return light


def test_lamps_are_found_by_night_and_not_by_day():
    """A white spot is a lamp where the photo is dark, and a white spot where it is bright."""
    assert lamps.at_night(street(0.01), NO_SKY)[22, 62] > 0.9
    assert lamps.at_night(street(0.01), NO_SKY)[70, 20] == 0
    assert lamps.at_night(street(0.5), NO_SKY).max() == 0


def test_neon_that_lights_a_street_is_lamps_under_a_black_sky_and_none_under_a_bright_one():
    """A photo full of signs is as bright as a dull day: its sky tells which it is."""
    photo = street(0.1)
    above = (np.arange(96)[:, None] < 48) * np.ones((1, 128), np.float32)
    assert lamps.at_night(photo, above).max() == 0
    photo[:48][photo[:48] < 0.5] = 0.002
    assert lamps.at_night(photo, above.astype(np.float32))[22, 62] > 0.9


def test_a_lamp_on_a_black_sky_shines_through_fog_that_hides_the_sky():
    """Where the priors say sky, more of the lamp arrives than of the sky beside it."""
    rows = np.linspace(0, 1, 96, dtype=np.float32)[:, None] * np.ones((1, 128), np.float32)
    assets = Assets(depth=np.clip(2 * rows - 1, 0, 1), sky=(rows < 0.5).astype(np.float32))
    params = haze.sample(stream(1, "haze", "lamp"), haze.HazeRanges(), Facts(128, 96, 0.5), 4)
    through = haze.transmission(street(0.01), params, assets)
    assert through[22, 62] > 3 * through[22, 10]
    assert through[22, 62] > 0.2


def test_a_lifted_lamp_never_arrives_brighter_than_the_photo_shows_it():
    """Gain x passage is capped at the photo's own light."""
    light, through = street(0.01), np.full((96, 128, 3), 0.3, np.float32)
    lifted = lamps.as_strong_as_they_are(light, through, 40.0)
    assert lifted.max() > 1.5
    assert (lifted * through <= light + 1e-5).all()


def test_a_lamps_soft_edge_arrives_softly_and_in_its_own_colour():
    """Along a glow that fades evenly, what arrives rises without a step, from the air's share to all of it, and no hue is added."""
    colour = np.array([1.0, 0.9, 0.6], np.float32)
    fading = np.linspace(0.0, 1.0, 400, dtype=np.float32)[None, :, None] * colour
    for passes in (0.2, 0.5, 0.8):
        through = np.full((1, 400, 3), passes, np.float32)
        arrived = lamps.as_strong_as_they_are(fading, through, 24.0) * through
        share = (arrived / np.maximum(fading, 1e-6))[0, 1:]
        assert np.allclose(share, share[:, :1], atol=1e-5)
        assert np.isclose(share[100, 0], passes, atol=1e-5)
        assert share[-1, 0] > 0.97
        assert (np.diff(share[:, 0]) > -1e-6).all()
        assert np.abs(np.diff(share[:, 0], 2)).max() < 4e-4  # a cap would bend at once: 0.01 and more
