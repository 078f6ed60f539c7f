"""A chain leaves pictures where and as large as they were, and its grids where the record says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.coding.codec_chain import Hop, resizings, run
from degrade.contract import Srgb

FINAL = Hop(1.0, "area", 0.0, 0, 0, "jpeg", 96.0, "4:4:4", "baseline")
ROUGH = FINAL._replace(quality=12.0, subsampling="4:2:0")


def grid_start(picture: Srgb) -> tuple[int, int]:
    """Return the (column, row) in 0-7 at which blocks start, where steps between neighbours are largest."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    steps = [np.minimum(np.abs(np.diff(luma, axis=axis)), 24).mean(axis=1 - axis) for axis in (1, 0)]
    column, row = (int(np.argmax([profile[(start - 1) % 8 :: 8].mean() for start in range(8)])) for profile in steps)
    return column, row


def shift_px(one: Srgb, other: Srgb) -> float:
    """Return the global displacement of two pictures by phase correlation."""
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (one, other)]
    window = cv2.createHanningWindow(luma[0].shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(luma[0], luma[1], window)
    return float(np.hypot(dx, dy))


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 5), (7, 1), (4, 4)])
def test_grid_of_an_inner_hop_is_where_the_record_says(astronaut: Srgb, dx: int, dy: int) -> None:
    """The seams of a coarse inner hop start dx columns left of the picture and dy rows above it."""
    shown = run(astronaut, (ROUGH._replace(dx=dx, dy=dy), FINAL)).pixels
    assert grid_start(shown) == (-dx % 8, -dy % 8)


@pytest.mark.parametrize("filters", [("area", "linear"), ("linear", "cubic"), ("cubic", "lanczos"), ("lanczos", "area")])
@pytest.mark.parametrize("codec", [("jpeg", 60.0), ("webp", 40.0), ("h264", 32.0), ("mpeg2", 8.0)])
def test_pair_stays_aligned(astronaut: Srgb, filters: tuple[str, str], codec: tuple[str, float]) -> None:
    """Resizing, shifting grids and halving chroma move nothing by a tenth of a pixel."""
    mode = {"jpeg": "baseline", "webp": "method-1", "h264": "superfast", "mpeg2": "dc-8"}[codec[0]]
    hop = Hop(0.63, filters[0], 0.3, 5, 2, *codec, "4:2:0", mode)
    shown = run(astronaut, (hop, FINAL._replace(filter=filters[1]))).pixels
    assert shift_px(astronaut, shown) < 0.1


@pytest.mark.parametrize(
    "hop",
    [FINAL, FINAL._replace(codec="webp", subsampling="4:2:0", mode="method-0"), FINAL._replace(codec="avif", mode="speed-9")],
    ids=["jpeg", "webp", "avif"],
)
def test_last_file_is_kept(rocket: Srgb, hop: Hop) -> None:
    """The last hop's own bytes come with its pixels."""
    pixels, data, media_type, _ = run(rocket, (ROUGH, hop))
    assert data is not None
    assert media_type == f"image/{hop.codec}"
    np.testing.assert_array_equal(pixels, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))


@pytest.mark.parametrize(
    "hop",
    [FINAL._replace(scale=0.7), FINAL._replace(dx=3), Hop(1.0, "area", 0.0, 0, 0, "h264", 30.0, "4:2:0", "superfast")],
    ids=["smaller", "shifted", "video"],
)
def test_no_file_where_none_shows_the_picture(rocket: Srgb, hop: Hop) -> None:
    """A file of another size, on a shifted grid or of a video is not the degraded side."""
    pixels, data, media_type, _ = run(rocket, (hop,))
    assert pixels.shape == rocket.shape
    assert data is None
    assert media_type is None


CHANGES = {
    "scale": 0.6,
    "filter": "cubic",
    "sharpen": 0.5,
    "dx": 3,
    "dy": 2,
    "codec": "webp",
    "quality": 41.0,
    "subsampling": "4:4:4",
    "mode": "optimised",
}


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_matters(rocket: Srgb, field: str) -> None:
    """Changing any field of a hop changes the file."""
    hops = Hop(0.7, "linear", 0.2, 1, 1, "jpeg", 40.0, "4:2:0", "baseline"), FINAL._replace(filter="linear", subsampling="4:2:0")
    at = 1 if field == "mode" else 0  # the order of tables shows in the last file only
    other = hops[at]._replace(**{field: CHANGES[field]})
    if field == "codec":
        other = other._replace(mode="method-1")
    changed = (hops[0], other) if at else (other, hops[1])
    assert run(rocket, hops).data != run(rocket, changed).data


def test_soft_resizings_are_counted() -> None:
    """Shrinking and growing back are counted where they happen, the growing after the last hop too."""
    inner = ROUGH._replace(scale=0.5, filter="cubic")
    assert resizings((FINAL,)) == (1.0, 0)
    assert resizings((inner, inner._replace(filter="area"), FINAL._replace(filter="linear"))) == (0.5, 1)
    assert resizings((inner._replace(filter="area"),)) == (0.5, 2)


def test_two_grids_hurt_more_than_one(astronaut: Srgb) -> None:
    """A second JPEG on the same grid loses next to nothing, on another grid it does."""
    same, apart = (run(astronaut, (ROUGH._replace(dx=dx, dy=dx), ROUGH)).pixels for dx in (0, 4))
    once = run(astronaut, (ROUGH,)).pixels
    assert cv2.PSNR(once, same) > cv2.PSNR(once, apart) + 3
