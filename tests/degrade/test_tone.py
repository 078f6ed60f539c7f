"""Tone curves undo each other, and brightening does what an exposure slider does to middle grey."""

from __future__ import annotations

import numpy as np
import pytest

from degrade import develop
from degrade.camera import linear_to_srgb, srgb_to_linear
from degrade.dark import tone
from degrade.dark.tone import Lift

UNLIFTED = Lift(0.0, 0.0, 0.09)
SHOWN = srgb_to_linear(np.arange(256) / 255.0)  # the linear light of 8-bit values


@pytest.mark.parametrize("contrast", [0.0, 0.4, 1.0])
def test_untoned_and_toned_again_is_the_same(contrast: float) -> None:
    """Every 8-bit value comes back."""
    scene = tone.tables(contrast, UNLIFTED).scene[0, np.rint(SHOWN * 65535).astype(int)]
    codes = np.rint(scene * develop.WHITE).astype(int)
    assert np.abs(tone.finish_table(contrast, None)[0, codes].astype(int) - np.arange(256)).max() <= 1


def test_full_contrast_is_the_published_curve() -> None:
    """At 1 the curve is the smoothstep of `develop`."""
    assert np.abs(tone.tables(1.0, UNLIFTED).scene - develop._untone_table()).max() < 2e-4


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_brightening_takes_middle_grey_where_gain_would(share: float) -> None:
    """Gain and gamma agree on middle grey; gamma leaves white alone."""
    lift = Lift(2.0, share, 0.01)
    assert abs(float(lift.undone(np.array(0.04))) - 0.01) < 1e-6
    assert abs(float(lift.undone(np.array(1.0))) - 2.0 ** -(2.0 * (1 - share))) < 1e-9


@pytest.mark.parametrize("late", [False, True])
def test_tables_rise(late: bool) -> None:
    """No step of a brightened photo is out of order, and white stays white."""
    lift = Lift(3.0, 0.5, 0.005)
    table = tone.late_table(0.5, lift)[0] if late else tone.finish_table(0.5, lift)[0, : tone.CODES]
    assert np.all(np.diff(table.astype(int)) >= 0)
    assert table[-1] == 255
    assert table[0] == 0


def test_late_and_early_brightening_agree_but_for_rounding() -> None:
    """On middle tones a finished file is brightened to what the RAW would have been."""
    lift = Lift(1.0, 0.3, 0.09)
    codes = np.linspace(2000, 12000, 50).astype(int)
    early = tone.finish_table(0.3, lift)[0, codes].astype(int)
    assert np.abs(tone.late_table(0.3, lift)[0, tone.finish_table(0.3, None)[0, codes]] - early).max() <= 3


@pytest.mark.parametrize("lift", [Lift(0.0, 0.0, 0.09), Lift(2.0, 0.0, 0.01), Lift(2.0, 1.0, 0.01)])
def test_a_lamp_is_shown_no_brighter_than_the_photo_shows_it(lift: Lift) -> None:
    """Below the clip what a lamp sends becomes its own value again; above, it overflows."""
    most = tone.tables(0.4, lift).lamp[0, np.rint(SHOWN * 65535).astype(int)]
    shown = tone.finish_table(0.4, lift)[0, np.minimum(np.rint(most * develop.WHITE), develop.WHITE).astype(int)]
    dim = linear_to_srgb(SHOWN) < 0.96
    assert np.abs(shown[dim].astype(int) - np.arange(256)[dim]).max() <= 1
    assert most[-1] > 1.0
