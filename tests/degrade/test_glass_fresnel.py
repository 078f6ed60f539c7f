"""A pane mirrors and passes what Fresnel says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.glass import fresnel
from degrade.glass.fresnel import Glazing, Pane

STRAIGHT = Pane(turn_deg=0.0, tilt_deg=0.0, thickness_mm=4.0, clarity=1.0, glazing=None)


def at(degrees: float) -> np.ndarray:
    return np.full(1, math.cos(math.radians(degrees)), np.float32)


def test_a_pane_mirrors_eight_percent_head_on() -> None:
    """Two surfaces of n = 1.52 mirror 2 R / (1 + R) with R = ((n - 1) / (n + 1))^2."""
    once = (0.52 / 2.52) ** 2
    assert float(fresnel.mirrored(at(0), 1)[0]) == pytest.approx(2 * once / (1 + once), rel=1e-4)
    assert 0.08 < float(fresnel.mirrored(at(0), 1)[0]) < 0.085


def test_a_grazing_ray_is_mirrored_whole() -> None:
    """The share rises with the angle beyond 10 degrees, to nearly all of the light."""
    shares = [float(fresnel.mirrored(at(degrees), 1)[0]) for degrees in range(10, 90, 5)]
    assert shares == sorted(shares)
    assert float(fresnel.mirrored(at(89.9), 1)[0]) > 0.97


def test_at_brewsters_angle_one_polarisation_passes_whole() -> None:
    """At arctan(n) nothing is mirrored of the light polarised along the plane of incidence."""
    _, along = fresnel.surface(at(math.degrees(math.atan(fresnel.INDEX))))
    assert float(along[0]) < 1e-6


def test_a_second_pane_mirrors_nearly_as_much_again() -> None:
    """Double glazing mirrors more than one pane and less than twice as much."""
    one, two = (float(fresnel.mirrored(at(20), panes)[0]) for panes in (1, 2))
    assert 1.7 * one < two < 2 * one


def test_the_angle_is_least_where_the_pane_is_met_head_on() -> None:
    """A pane that is not turned is met head-on in the middle, one that is turned beside it, and mirrored for the other side."""
    middle = fresnel.cosines(STRAIGHT, 1, (101, 151), 120.0)
    assert np.unravel_index(middle.argmax(), middle.shape) == (50, 75)
    assert float(middle.max()) == pytest.approx(1.0, abs=1e-6)
    turned = fresnel.cosines(STRAIGHT._replace(turn_deg=20.0), 1, (101, 151), 120.0)
    assert np.unravel_index(turned.argmax(), turned.shape)[1] == pytest.approx(75 + 120 * math.tan(math.radians(20)), abs=1)
    other = fresnel.cosines(STRAIGHT._replace(turn_deg=20.0), -1, (101, 151), 120.0)
    assert np.allclose(turned, other[:, ::-1], atol=1e-6)


def test_a_corner_is_met_at_its_field_angle() -> None:
    """Cosine at a pixel is that of the angle between its ray and the pane's normal."""
    met = fresnel.cosines(STRAIGHT, 1, (200, 200), 150.0)[0, 0]
    assert float(met) == pytest.approx(150 / math.sqrt(150**2 + 2 * 99.5**2), rel=1e-5)


def test_a_normal_has_length_one() -> None:
    """Whatever the turn and the tilt."""
    for pane in (STRAIGHT, STRAIGHT._replace(turn_deg=63.0, tilt_deg=-8.0), STRAIGHT._replace(glazing=Glazing(12.0, 1.0, 30.0), tilt_deg=40.0)):
        assert math.hypot(*fresnel.normal(pane, -1)) == pytest.approx(1.0)
