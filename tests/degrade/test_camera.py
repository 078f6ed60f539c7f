"""The sRGB curve, there and back."""

from __future__ import annotations

import numpy as np

from degrade import camera, develop


def test_every_code_survives_the_way_to_light_and_back() -> None:
    """All 256 codes come back unchanged."""
    codes = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(camera.to_srgb(camera.to_linear(codes)), codes)


def test_light_outside_the_range_is_clipped_not_wrapped() -> None:
    """Negative light is black and excess light is white."""
    light = np.array([[[-0.5, -1e-6, 1.5]]], np.float32)
    assert camera.to_srgb(light).tolist() == [[[0, 0, 255]]]
    assert camera.to_16_bit(light).tolist() == [[[0, 0, 65535]]]


def test_middle_grey_is_where_the_standard_puts_it() -> None:
    """SRGB 0.5 holds 21.4 % of the light."""
    assert abs(float(camera.srgb_to_linear(np.array(0.5))) - 0.2140) < 1e-4


def test_luminance_is_the_middle_row_of_the_colour_matrix() -> None:
    """The weights of red, green and blue are those that sRGB's primaries have in Y, and sum to 1."""
    assert np.allclose(camera.LUMINANCE, develop.SRGB_TO_XYZ[1], atol=1e-4)
    assert abs(sum(camera.LUMINANCE) - 1.0) < 1e-12


def test_clipped_highlights_are_lifted_and_the_rest_is_left_alone() -> None:
    """Light below the knee stays, white becomes as bright as asked, and order is kept."""
    ramp = np.linspace(0, 1, 3 * 64, dtype=np.float32).reshape(8, 8, 3)
    lifted = camera.recover_highlights(ramp, 4.0)
    assert np.array_equal(lifted[ramp <= 0.9], ramp[ramp <= 0.9])
    assert abs(float(lifted.max()) - 4.0) < 1e-4
    assert (np.diff(lifted.ravel()) > 0).all()
