"""Runs the steps of one pair through one camera, in physical order.

scene -> lens -> sensor and development -> file. sRGB is left once (if any step needs light) and entered once, however
many steps there are; a pair that is only re-encoded never leaves it. Orders that nature does not know cannot be
expressed: steps are sorted by stage, one sensor takes the picture, and no degradation acts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from degrade import camera
from degrade.contract import Assets, Encoded, Generator, Srgb, Stage
from degrade.errors import RecipeError


class Step(NamedTuple):
    """A generator and what was drawn for it."""

    generator: Generator[Any, Any]
    params: Any


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps in physical order (by stage, then by name).

    Raises:
        RecipeError: no step, a degradation twice, or two sensors.
    """
    check_combination([step.generator for step in steps])
    return tuple(sorted(steps, key=lambda step: (step.generator.stage, step.generator.name)))


def check_combination(generators: Sequence[Generator[Any, Any]]) -> None:
    """Raise RecipeError unless these degradations can act on one photo."""
    names = [generator.name for generator in generators]
    sensors = [generator.name for generator in generators if generator.stage is Stage.SENSOR]
    if not names:
        raise RecipeError("a pair needs at least one degradation")
    if len(set(names)) < len(names):
        raise RecipeError(f"{' + '.join(names)}: a degradation acts once on a photo")
    if len(sensors) > 1:
        raise RecipeError(f"{' + '.join(sensors)}: a photo is taken once; choose one of them")


def render(clean: Srgb, steps: Sequence[Step], assets: Assets) -> Encoded:
    """Return the degraded side of a pair.

    Args:
        clean: HxWx3 uint8 sRGB; left untouched.
        steps: at least one; any order.
        assets: the scene priors that the steps need.
    """
    ordered = in_order(steps)
    picture: Any = clean
    if ordered[0].generator.stage < Stage.FILE:
        picture = camera.to_linear(clean)
    in_light = ordered[0].generator.stage < Stage.FILE
    data, media_type = None, None
    for generator, params in ordered:
        if in_light and generator.stage is Stage.FILE:
            picture, in_light = camera.to_srgb(picture), False
        if generator.stage is Stage.FILE:
            picture, data, media_type = generator.render(picture, params, assets)
        else:
            picture = generator.render(picture, params, assets)
            in_light = generator.stage is not Stage.SENSOR
    return Encoded(camera.to_srgb(picture) if in_light else picture, data, media_type)
