"""The scene on which the laws are tried, a real photo with everything that a generator may need; and how one step acts on it."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import cv2
import numpy as np

import degrade
from degrade import chain
from degrade.contract import Assets, Encoded, Facts, Generator, Light, Srgb, Texture
from degrade.scene import depth, segments, sky
from degrade.scene.proxy import proxy
from degrade.stream import stream


class Scene(NamedTuple):
    """A clean side with everything that a generator may need."""

    clean: Srgb
    assets: Assets
    facts: Facts


def scene_of(clean: Srgb) -> Scene:
    """Return a scene whose priors are the stand-ins', with a lamp, a second photo and banks of three."""
    small = proxy(clean)
    sky_map = sky.sky(small)
    prior = depth.geometric(small, sky_map)
    textures = {name: tuple(blots(seed) for seed in range(3)) for name in degrade.NAMES}
    other = partner(clean.shape[1], clean.shape[0])
    assets = Assets(prior.inverse, sky_map, segments.superpixels(small), prior.horizon_frac, 0.7, partner=other, textures=textures)
    facts = Facts(clean.shape[1], clean.shape[0], sky.sky_frac(sky_map), lights=LAMPS, textures=3, things=True)
    return Scene(clean, assets, dataclasses.replace(facts, partner=Facts(*facts_size(other), luminance=0.25)))


LAMPS = (Light(0.62, 0.3, 0.012, (1.0, 0.85, 0.6), 12.0), Light(0.2, 0.55, 0.006, (0.8, 0.9, 1.0), 6.0))


def facts_size(picture: Srgb) -> tuple[int, int]:
    """Return (width, height)."""
    return picture.shape[1], picture.shape[0]


def partner(width: int, height: int) -> Srgb:
    """A second photo of any size."""
    from skimage import data

    return cv2.resize(data.chelsea(), (width, height), interpolation=cv2.INTER_AREA)


@functools.cache
def blots(seed: int) -> Texture:
    """An image of a bank: soft spots of colour on nothing, 96 x 80."""
    rng = np.random.default_rng(seed)
    rgba = cv2.GaussianBlur(rng.random((80, 96, 4), np.float32), (0, 0), 6.0)
    rgba = (rgba - rgba.min()) / (rgba.max() - rgba.min())
    return (rgba * 255).astype(np.uint8)


@functools.cache
def launch() -> Scene:
    """A real outdoor photo with sky and distance, 320 x 213."""
    from skimage import data

    return scene_of(cv2.resize(data.rocket(), (320, 213), interpolation=cv2.INTER_AREA))


def draw(generator: Generator[Any, Any], seed: int, stratum: int = 3, key: str = "law") -> Any:
    """Draw params with the generator's own ranges."""
    return generator.sample(stream(seed, generator.name, key), generator.ranges(), launch().facts, stratum)


def run(generator: Generator[Any, Any], params: Any, scene: Scene | None = None) -> Encoded:
    """Render one step on a scene."""
    scene = scene or launch()
    return chain.render(scene.clean, [chain.Step(generator, params)], _picked(generator, params, scene.assets))


def _picked(generator: Generator[Any, Any], params: Any, assets: Assets) -> Assets:
    """Return assets with as many images of the bank as were drawn."""
    count = len(getattr(params, "textures", ()))
    mine = assets.textures.get(generator.name, ())[:count]
    return dataclasses.replace(assets, textures={generator.name: mine} if mine else {})
