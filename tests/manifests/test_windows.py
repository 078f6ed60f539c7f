"""A window of a stored picture is the same rectangle of the whole picture, and damage is never a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.errors import CorruptRun
from manifests import pictures, png, windows
from manifests.windows import Window

PIXELS = np.random.default_rng(5).integers(0, 256, (37, 53, 3), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(top=st.integers(0, 36), left=st.integers(0, 52), height=st.integers(1, 37), width=st.integers(1, 53))
@pytest.mark.parametrize("dtype", ["rgb8", "grey16", "rgb16"])
def test_a_window_is_cut_from_the_whole(dtype, top, left, height, width):
    """For every window, 8 and 16 bit, grey and colour, the quick reader gives the pixels that were written."""
    pixels = {"rgb8": PIXELS, "grey16": PIXELS[..., 0].astype(np.uint16) * 257, "rgb16": PIXELS.astype(np.uint16) * 251}[dtype]
    window = Window(top, left, min(height, 37 - top), min(width, 53 - left))
    cut = pixels[window.top : window.top + window.height, window.left : window.left + window.width]
    found = windows.decode(png.encode(pixels), window)
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, cut)


@pytest.mark.parametrize(("extension", "filters"), [(".png", 0), (".png", 4), (".jpg", None), (".webp", None)])
def test_pictures_of_others_are_cut_too(astronaut, extension, filters):
    """A PNG with other filters, a JPEG and a WebP give the same window as the whole picture does."""
    options = [] if filters is None else [cv2.IMWRITE_PNG_STRATEGY, filters]
    data = cv2.imencode(extension, astronaut, options)[1].tobytes()
    assert np.array_equal(windows.decode(data, Window(100, 50, 60, 70)), pictures.decode(data)[100:160, 50:120])
    assert np.array_equal(windows.decode(data), pictures.decode(data))


def test_a_later_row_with_another_filter_is_read_by_libpng():
    """A PNG whose first row is as ours and whose second is not gives its own pixels."""
    from isal import isal_zlib

    rows = np.zeros((2, 1 + 3 * 4), np.uint8)
    rows[0], rows[1, 1:] = 2, 9  # Up, then None
    whole = png.encode(np.zeros((2, 4, 3), np.uint8))
    data = whole[:33] + png._chunk(b"IDAT", isal_zlib.compress(rows.tobytes())) + whole[-12:]
    assert windows.decode(data).tolist() == [[[2, 2, 2]] * 4, [[9, 9, 9]] * 4]


def test_no_flipped_bit_passes_for_a_picture():
    """Any single damaged byte of the pixels, above, in or below the window, is an error."""
    data = png.encode(PIXELS)
    for at in range(41, len(data) - 16, 97):
        damaged = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with pytest.raises(CorruptRun, match="patina verify"):
            windows.decode(damaged, Window(5, 5, 8, 8))


def test_a_picture_smaller_than_its_row_says_is_an_error():
    """A window beyond the edge is refused, in our PNGs and in others."""
    for data in (png.encode(PIXELS), cv2.imencode(".jpg", PIXELS)[1].tobytes()):
        with pytest.raises(CorruptRun, match="53 x 37"):
            windows.decode(data, Window(0, 0, 38, 53))
    with pytest.raises(CorruptRun):
        windows.decode(b"no picture at all")
