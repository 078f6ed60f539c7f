"""Chains are drawn as the recipe says, land in their stratum, and hurt as much as they claim."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from degrade.coding import presets
from degrade.compression import GENERATOR, MODES, CompressionParams, CompressionRanges, render, sample, severity
from degrade.contract import Assets, Facts, Srgb
from degrade.errors import BadSample
from degrade.record import from_record, to_record
from degrade.stream import stream

FACTS = Facts(1024, 768)
RANGES = CompressionRanges()


def draw(number: int, stratum: int, ranges: CompressionRanges = RANGES, facts: Facts = FACTS) -> CompressionParams:
    """Return the chain of a numbered stream."""
    return sample(stream(1, "compression", str(number)), ranges, facts, stratum)


def test_chains_meet_their_stratum() -> None:
    """The severity of every draw lies in the stratum asked for, and the record keeps it exactly."""
    for number in range(1000):
        params = draw(number, 1 + number % 5)
        assert GENERATOR.stratum(severity(params)) == 1 + number % 5
        assert from_record(CompressionParams, to_record(params)) == params


def test_chains_end_as_files_do() -> None:
    """The last hop works on the full size and the picture's own grid, or is a video frame; the first never grows."""
    for number in range(500):
        hops = draw(number, 1 + number % 5).hops
        assert 1 <= len(hops) <= 5
        assert (hops[-1].dx, hops[-1].dy) == (0, 0)
        assert hops[-1].scale == 1.0 or hops[-1].codec in presets.VIDEO
        assert all(hop.mode in MODES[hop.codec] or hop.mode == "ctu-32" for hop in hops)


def test_most_pictures_are_a_jpeg_once_or_twice() -> None:
    """Of the chains as drawn, most are nothing but one or two JPEGs, and only a last hop pays for a mode that leaves pixels alone."""
    chains = [draw(number, 1 + number % 5).hops for number in range(1000)]
    assert np.mean([len(hops) <= 2 and all(hop.codec == "jpeg" for hop in hops) for hops in chains]) > 0.55
    assert all(hop.mode == "baseline" for hops in chains for hop in hops[:-1] if hop.codec == "jpeg")
    assert {hops[-1].mode for hops in chains if hops[-1].codec == "jpeg"} == set(MODES["jpeg"])


def test_every_codec_is_drawn() -> None:
    """A few thousand chains meet every codec and every path length."""
    chains = [draw(number, 1 + number % 5).hops for number in range(2000)]
    assert {hop.codec for hops in chains for hop in hops} == set(MODES)
    assert {len(hops) for hops in chains} == {1, 2, 3, 4, 5}


def test_recipe_narrows_everything() -> None:
    """A narrowed recipe is kept to: codecs, hops, scale, offsets, subsampling."""
    ranges = CompressionRanges(codecs={"jpeg": 1.0}, hops=(2, 3), scale=(0.5, 0.8), offset_px=(2, 4), subsampling={"4:2:2": 1.0}, filters={"cubic": 1.0})
    for number in range(300):
        hops = draw(number, 1 + number % 5, ranges).hops
        assert len(hops) in (2, 3)
        for hop in hops:
            assert (hop.codec, hop.subsampling) == ("jpeg", "4:2:2")
            assert hop.scale == 1.0 or 0.5 <= hop.scale <= 0.8
            assert hop.dx in (0, 2, 3, 4)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"codecs": {"jpg": 1.0}}, "did you mean `jpeg`"),
        ({"paths": {"messanger": 1.0}}, "did you mean `messenger`"),
        ({"codecs": {"h264": 1.0}, "paths": {"archive": 1.0}}, "no path is left"),
        ({"hops": [5, 5], "paths": {"export": 1.0}}, "no path is left"),
        ({"codecs": {"jpeg": 0.0}}, "weight above 0"),
        ({"quality": [80, 20]}, "reversed"),
        ({"codecs": {"jpeg": -1.0}}, "greater than or equal to 0"),
    ],
)
def test_impossible_recipes_are_refused(values: dict[str, object], word: str) -> None:
    """Unknown names and ranges that leave nothing to draw raise with a hint."""
    with pytest.raises(ValidationError, match=word):
        CompressionRanges(**values)  # type: ignore[arg-type]


def test_large_photos_avoid_small_formats() -> None:
    """A panorama wider than WebP and video allow is sent as JPEG or AVIF."""
    panorama = Facts(20_000, 4_000)
    assert {hop.codec for number in range(300) for hop in draw(number, 3, facts=panorama).hops} == {"jpeg", "avif"}
    with pytest.raises(BadSample, match="20000 px"):
        draw(0, 3, CompressionRanges(codecs={"h264": 1.0}), panorama)


@pytest.mark.parametrize("size", [(64, 64), (65, 101), (240, 67)])
@pytest.mark.parametrize("level", [0, 255, None])
def test_any_picture_can_be_compressed(rocket: Srgb, size: tuple[int, int], level: int | None) -> None:
    """Small, odd, black and white pictures pass every stratum, keep their size, and are not written to."""
    photo = np.ascontiguousarray(rocket[: size[0], : size[1]]) if level is None else np.full((*size, 3), level, np.uint8)
    before = photo.copy()
    for number in range(10):
        params = draw(number, 1 + number % 5, facts=Facts(size[1], size[0]))
        shown = render(photo, params, Assets())
        assert shown.pixels.shape == photo.shape
        assert shown.pixels.dtype == np.uint8
        assert shown.pixels is not photo
        assert shown.data == render(photo, params, Assets()).data
        if level is not None:
            assert np.abs(shown.pixels.astype(int) - level).max() <= 8
    np.testing.assert_array_equal(photo, before)


def test_strata_hurt_in_order(data: Path) -> None:
    """Over photos, mean PSNR falls from stratum to stratum; the mildest stays above 25 dB."""
    photos = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in sorted((data / "clean").glob("[g-i]*.jpg"))]
    psnr = np.empty((len(photos), 5, 4))
    for row, photo in enumerate(photos):
        assert photo is not None
        small = cv2.resize(photo, (384, 256), interpolation=cv2.INTER_AREA).astype(np.uint8)
        for stratum, number in np.ndindex(5, 4):
            params = draw(100 * row + number, stratum + 1, facts=Facts(384, 256))
            psnr[row, stratum, number] = cv2.PSNR(small, render(small, params, Assets()).pixels)
    assert psnr[:, 0].min() > 25
    assert (np.diff(psnr.mean(axis=(0, 2))) < -0.5).all()
