"""Steps of one pair act in the order in which nature does it, whatever order they are given in."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from law_scene import draw, launch

import degrade
from degrade import camera, chain
from degrade.contract import Noted


def steps(*names: str) -> list[chain.Step]:
    """Draw a step of each."""
    return [chain.Step(degrade.by_name(name), draw(degrade.by_name(name), 3, 4)) for name in names]


@pytest.mark.parametrize("order", list(itertools.permutations(("haze", "flare", "blur"))))
def test_light_goes_astray_before_it_is_smeared(order: tuple[str, ...]) -> None:
    """Haze is in the air, a flare in the glass, and blur is where both land."""
    assert [step.generator.name for step in chain.in_order(steps(*order))] == ["haze", "flare", "blur"]


def test_a_flare_is_shaken_with_the_rest_of_the_picture() -> None:
    """The pair is a blurred flare, not a sharp flare over a blurred photo."""
    blur, flare = steps("blur", "flare")
    scene = launch()
    flared = flare.generator.render(camera.to_linear(scene.clean), flare.params, scene.assets)
    flared = flared.picture if isinstance(flared, Noted) else flared
    expected = camera.to_srgb(blur.generator.render(flared, blur.params, scene.assets))
    assert np.array_equal(chain.render(scene.clean, [blur, flare], scene.assets).pixels, expected)
