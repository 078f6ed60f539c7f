"""The chain keeps place, size and brightness, and its blocks lie where the order says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.upload.chain import Finish, Pass, run
from degrade.upload.kernels import Blur, Ringing
from degrade.upload.speckle import Speckle

PLAIN = Pass(None, None, 1.0, "area", None, 95)
KEPT = Finish(1.0, "area", None, saved_last=True, grow="cubic")
SMALL = KEPT._replace(scale=0.4, saved_last=False)
BLUR = Blur("gaussian", 13, 1.4, 0.8, 25.0, 1.0)


def shift_px(one: Srgb, other: Srgb) -> float:
    """Return the global displacement of two pictures, by least squares on what a wide blur leaves of them."""
    first, second = (cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64), (0, 0), 4.0) for picture in (one, other))
    slopes = np.stack([slope[16:-16, 16:-16].ravel() for slope in np.gradient(0.5 * (first + second))])
    return float(np.hypot(*np.linalg.solve(slopes @ slopes.T, slopes @ (second - first)[16:-16, 16:-16].ravel())))


def block_seams(picture: Srgb) -> np.ndarray:
    """Return the mean step between neighbouring columns, by column modulo 8."""
    steps = np.abs(np.diff(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float), axis=1)).mean(axis=0)
    return np.array([steps[start::8].mean() for start in range(8)])


@pytest.mark.parametrize("resampling", ["area", "linear", "cubic"])
@pytest.mark.parametrize("saved_last", [True, False])
def test_pairs_stay_aligned(rocket: Srgb, resampling: str, saved_last: bool) -> None:
    """Two passes through blur, odd sizes and ringing move nothing by a tenth of a pixel."""
    first = Pass(BLUR, None, 0.63, resampling, None, 80)
    second = Pass(None, Ringing(9, 2.0), 0.31, resampling, None, 80)
    shown = run(rocket, (first, second), SMALL._replace(saved_last=saved_last, ringing=Ringing(11, 2.2))).pixels
    assert shown.shape == rocket.shape
    assert shift_px(rocket, shown) < 0.1


def test_the_jpeg_that_one_sees_is_kept(rocket: Srgb) -> None:
    """A last JPEG of the clean side's size is the degraded file: its bytes give the pixels."""
    pixels, data, media_type, _ = run(rocket, (PLAIN._replace(scale=0.7),), KEPT)
    assert media_type == "image/jpeg"
    assert data is not None
    np.testing.assert_array_equal(pixels, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))


@pytest.mark.parametrize("finish", [SMALL, SMALL._replace(saved_last=True), KEPT._replace(saved_last=False)])
def test_no_file_where_none_shows_the_picture(rocket: Srgb, finish: Finish) -> None:
    """A file that was resized after saving is not the degraded side."""
    assert run(rocket, (PLAIN._replace(scale=0.7),), finish).data is None


def test_blocks_lie_on_the_grid_only_where_saving_came_last(astronaut: Srgb) -> None:
    """Saved last, seams stand 8 px apart; saved before growing, they do not."""
    rough = PLAIN._replace(scale=0.71, quality=20)
    last, before = (block_seams(run(astronaut, (rough,), KEPT._replace(saved_last=saved)).pixels) for saved in (True, False))
    assert last[7] > 1.3 * np.median(last)
    assert before[7] < 1.1 * np.median(before)


def test_brightness_is_kept() -> None:
    """An even grey keeps its mean within a code through a hard chain, although every step rounds and clips."""
    grey = np.full((160, 200, 3), 120, np.uint8)
    passes = (
        Pass(BLUR, None, 0.5, "cubic", Speckle("gaussian", 12.0, False, 1), 50),
        Pass(BLUR, None, 0.3, "linear", Speckle("poisson", 10.0, True, 2), 50),
    )
    assert abs(run(grey, passes, SMALL._replace(ringing=Ringing(15, 1.4))).pixels.mean() - 120) < 1.0


def test_the_callers_picture_is_left_alone(astronaut: Srgb) -> None:
    """Noise is not written into the picture that came in, and a harmless chain gives it back as a JPEG does."""
    before = astronaut.copy()
    run(astronaut, (PLAIN._replace(speckle=Speckle("gaussian", 20.0, False, 1)),), KEPT)
    np.testing.assert_array_equal(astronaut, before)
    assert cv2.PSNR(astronaut, run(astronaut, (PLAIN._replace(quality=100),), KEPT).pixels) > 38
