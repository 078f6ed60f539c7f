"""Runs the steps of one pair through one camera, in physical order.

scene -> lens -> sensor and development -> web -> file; within the lens, light goes astray in the glass before it is smeared.
sRGB is left once (if any step needs light) and entered once, however many steps there are; a pair that is only re-encoded never
leaves it. Orders that nature does not know cannot be expressed: steps are sorted, one sensor takes the picture, and no
degradation acts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Assets, Encoded, Generator, Noted, Srgb, Stage
from degrade.errors import RecipeError

MAX_DEGRADATIONS = 3  # that act on one photo; a web tail may follow
LAST = ("blur",)  # of its stage: defocus and shake smear a flare with the rest


class Step(NamedTuple):
    """A generator and what was drawn for it."""

    generator: Generator[Any, Any]
    params: Any


def place(generator: Generator[Any, Any]) -> tuple[Stage, bool, str]:
    """Return the key that sorts degradations into physical order."""
    return generator.stage, generator.name in LAST, generator.name


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps in physical order.

    Raises:
        RecipeError: no step, too many, a degradation twice, or two sensors.
    """
    check_combination([step.generator for step in steps])
    return tuple(sorted(steps, key=lambda step: place(step.generator)))


def check_combination(generators: Sequence[Generator[Any, Any]]) -> None:
    """Raise RecipeError unless these degradations can act on one photo."""
    names = [generator.name for generator in generators]
    sensors = [generator.name for generator in generators if generator.stage is Stage.SENSOR]
    if not names:
        raise RecipeError("a pair needs at least one degradation")
    if len(set(names)) < len(names):
        raise RecipeError(f"{' + '.join(names)}: a degradation acts once on a photo")
    acting = [generator for generator in generators if generator.stage is not Stage.TAIL]
    if len(acting) > MAX_DEGRADATIONS:
        raise RecipeError(f"{' + '.join(names)}: at most {MAX_DEGRADATIONS} degradations act on one photo, and a web tail")
    if len(sensors) > 1:
        raise RecipeError(f"{' + '.join(sensors)}: a photo is taken once; choose one of them")


def render(clean: Srgb, steps: Sequence[Step], assets: Assets) -> Encoded:
    """Return the degraded side of a pair.

    Args:
        clean: HxWx3 uint8 sRGB; left untouched.
        steps: at least one; any order.
        assets: the scene priors that the steps need.

    Raises:
        BadSample: a step finds that this picture cannot show it.
    """
    picture: Any = clean
    data, media_type, in_light = None, None, False
    notes: dict[str, float] = {}
    for generator, params in in_order(steps):
        if in_light or not generator.takes_srgb:
            picture, in_light = _in_its_light(picture, generator.stage, in_light=in_light)
        made = generator.render(picture, params, assets)
        if isinstance(made, Noted):
            notes |= {f"{generator.name}.{name}": value for name, value in made.notes.items()}
            made = made.picture
        if isinstance(made, Encoded):
            picture, data, media_type, _ = made
        else:
            picture, data, media_type = made, None, None
        in_light = generator.stage < Stage.SENSOR
    return Encoded(camera.to_srgb(picture) if in_light else picture, data, media_type, notes)


def layers(clean: Srgb, steps: Sequence[Step], assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return the side products of a pair: the layers of its steps, by `generator.name`.

    Each step's layers are those of the picture as it reaches that step.
    """
    picture: Any = clean
    made: dict[str, NDArray[np.float32]] = {}
    in_light = False
    for generator, params in in_order(steps):
        if generator.stage >= Stage.TAIL:
            break  # a codec adds nothing that has a layer
        picture, in_light = _in_its_light(picture, generator.stage, in_light=in_light)
        if generator.layers is not None:
            made |= {f"{generator.name}.{name}": layer for name, layer in generator.layers(picture, params, assets).items()}
        picture = generator.render(picture, params, assets)
        if isinstance(picture, Noted):
            picture = picture.picture
        in_light = generator.stage < Stage.SENSOR
    return made


def _in_its_light(picture: Any, stage: Stage, *, in_light: bool) -> tuple[Any, bool]:
    """Return the picture as a stage takes it: linear light up to the sensor, sRGB after."""
    wanted = stage < Stage.TAIL
    if wanted == in_light:
        return picture, in_light
    return (camera.to_linear(picture) if wanted else camera.to_srgb(picture)), wanted
