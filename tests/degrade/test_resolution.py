"""The resolution that is left is what a photo really keeps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.upload.chain import Finish, Pass, run
from degrade.upload.kernels import Blur, Ringing
from degrade.upload.resolution import left_by
from degrade.upload.speckle import Speckle

CLEAN = Pass(None, None, 1.0, "area", None, 100)
KEPT = Finish(1.0, "area", None, saved_last=True, grow="cubic")


def left(one: Pass = CLEAN, finish: Finish = KEPT) -> float:
    """Return the share that one pass leaves."""
    return left_by((one,), finish)


def test_shrinking_leaves_its_scale() -> None:
    """A photo shrunk to half has half of its resolution; so has one whose small picture is half as large."""
    assert left(CLEAN._replace(scale=0.5)) == pytest.approx(0.5, rel=0.02)
    assert left(finish=KEPT._replace(scale=0.25)) == pytest.approx(0.25, rel=0.02)


def test_a_low_pass_leaves_its_cutoff() -> None:
    """An ideal low-pass at half of the sampling limit leaves half."""
    assert left(CLEAN._replace(ringing=Ringing(21, np.pi / 2))) == pytest.approx(0.5, rel=0.02)


def test_what_comes_after_shrinking_weighs_more() -> None:
    """Harm done to the small picture costs more of the photo than the same harm done before it was shrunk."""
    small = CLEAN._replace(scale=0.5)
    for harm in (
        {"kernel": Blur("gaussian", 13, 1.0, 1.0, 0.0, 1.0)},
        {"ringing": Ringing(13, 2.0)},
        {"speckle": Speckle("gaussian", 20.0, False, 1)},
        {"quality": 20},
    ):
        before, after = (CLEAN._replace(**harm), small), (small, small._replace(**harm))  # type: ignore[arg-type]
        assert left_by(after, KEPT._replace(saved_last=False)) < 0.95 * left_by(before, KEPT._replace(saved_last=False))


@pytest.mark.parametrize("share", [0.6, 0.35, 0.2])
def test_blur_and_shrinking_of_one_severity_hurt_alike(astronaut: Srgb, rocket: Srgb, share: float) -> None:
    """Chains of blur alone and of shrinking alone that are said to leave the same cost real photos a like error."""
    sigma = (0.24 * (share**-2 - 1)) ** 0.5
    blurred, shrunk = CLEAN._replace(kernel=Blur("gaussian", 21, sigma, sigma, 0.0, 1.0)), CLEAN._replace(scale=share)
    assert left(blurred) == pytest.approx(left(shrunk), rel=0.02)
    for photo in (astronaut, rocket):
        off = cv2.PSNR(photo, run(photo, (blurred,), KEPT).pixels) - cv2.PSNR(photo, run(photo, (shrunk,), KEPT._replace(resampling="cubic")).pixels)
        assert abs(off) < 2.5


def test_every_harm_counts() -> None:
    """More of anything leaves less."""
    harms = (
        [CLEAN._replace(quality=q) for q in (95, 60, 30)],
        [CLEAN._replace(speckle=Speckle("poisson", s, False, 1)) for s in (2.0, 10.0, 30.0)],
        [CLEAN._replace(kernel=Blur("plateau", 21, s, 0.5 * s, 9.0, 1.5)) for s in (0.5, 1.0, 3.0)],
        [CLEAN._replace(ringing=Ringing(21, w)) for w in (3.0, 2.0, 1.0)],
        [CLEAN._replace(scale=s) for s in (0.9, 0.6, 0.2)],
    )
    for rising in harms:
        found = [left(one) for one in rising]
        assert all(np.diff(found) < -0.01), rising
