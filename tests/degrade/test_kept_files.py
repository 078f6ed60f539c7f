"""A degraded side that a codec ended is stored as that codec's file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from law_scene import draw, launch, run
from PIL import Image

import degrade
from degrade import chain, low_light, noise

FILED = ("compression", "low_light", "noise")  # what a codec ends, now and then


@pytest.mark.parametrize("generator", degrade.GENERATORS, ids=degrade.NAMES)
def test_a_file_that_is_kept_is_the_picture(generator):
    """Where a codec came last, its file is kept, and another reader finds the degraded side's pixels in it."""
    found = 0
    for seed in range(8):
        made = run(generator, draw(generator, seed))
        assert (made.data is None) == (made.media_type is None)
        if made.data is not None:
            found += 1
            with Image.open(io.BytesIO(made.data)) as image:
                assert image.get_format_mimetype() == made.media_type
                assert np.array_equal(np.asarray(image.convert("RGB")), made.pixels)
    assert (found > 0) == (generator.name in FILED)


@pytest.mark.parametrize("module", [low_light, noise], ids=["low_light", "noise"])
def test_a_camera_that_writes_no_jpeg_leaves_no_file(module):
    """Without the camera's JPEG, or with an edit after it, there is nothing but pixels; with it there is its file."""
    generator = module.GENERATOR
    params = next(params for params in (draw(generator, seed) for seed in range(99)) if plain(params))
    for quality, name in ((None, None), (90, "image/jpeg")):
        assert run(generator, params._replace(camera=params.camera._replace(jpeg_quality=quality))).media_type == name
    after = {"late": True} if generator.name == "low_light" else {"web": next(p.web for p in (draw(generator, seed) for seed in range(99)) if p.web)}
    edited = run(generator, params._replace(**after))
    assert edited.media_type == (None if generator.name == "low_light" else "image/jpeg")


def plain(params) -> bool:
    """Nothing comes after the camera."""
    return params.camera is not None and not getattr(params, "late", False) and getattr(params, "web", None) is None


def test_what_acts_later_decides_the_file():
    """A step after the camera takes its pixels, and the pair keeps the last step's file, or none."""
    kinds = [degrade.by_name(name) for name in ("low_light", "compression")]
    dark = next(params for params in (draw(kinds[0], seed) for seed in range(99)) if plain(params) and params.camera.jpeg_quality)
    types = set()
    for seed in range(12):
        steps = [chain.Step(kinds[0], dark), chain.Step(kinds[1], draw(kinds[1], seed))]
        made = chain.render(launch().clean, steps, launch().assets)
        alone = chain.render(chain.render(launch().clean, steps[:1], launch().assets).pixels, steps[1:], launch().assets)
        assert (made.data, made.media_type) == (alone.data, alone.media_type)
        assert np.array_equal(made.pixels, alone.pixels)
        types.add(made.media_type)
    assert {None, "image/jpeg"} <= types
