"""Whatever an editor did to the size of a photo, stretched, padded or cut, is recognised and undone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.errors import BadSample, Reason
from filters.registration.match import match
from filters.registration.unresize import unresize


def sized(photo, width, height):
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def stretched(photo):
    return sized(photo, 512, 512)


def padded(photo):
    out = np.zeros((512, 512, 3), np.uint8)
    out[85:427] = sized(photo, 512, 342)
    return out


def cut(photo):
    return sized(np.ascontiguousarray(photo[:, 106:533]), 400, 400)


@pytest.mark.parametrize(("editor", "how"), [(stretched, "stretch"), (padded, "pad"), (cut, "crop")])
def test_what_an_editor_did_is_recognised_and_undone(rocket, editor, how):
    """A square answer to a photo of 640x427 is brought back to where the photo is, under noise."""
    noisy = np.clip(rocket + np.random.default_rng(0).normal(0, 12, rocket.shape), 0, 255).astype(np.uint8)
    undone = unresize(editor(rocket), noisy)
    assert undone.how == how
    assert undone.clean.shape == undone.degraded.shape
    assert match(undone.clean, undone.degraded).found.reach_px(427, 427) < 1.5


def test_a_smaller_copy_is_enlarged(rocket):
    """The same aspect needs no guess."""
    undone = unresize(sized(rocket, 320, 214), rocket)
    assert undone.how == "stretch"
    assert undone.clean.shape == rocket.shape


def test_one_size_is_left_alone(rocket):
    """An answer of the photo's own size comes back as it is."""
    undone = unresize(rocket, rocket)
    assert undone.how == "same"
    assert undone.clean is rocket


def test_another_picture_is_refused(rocket, astronaut):
    """What shows nothing of the photo in any way is refused with the sizes."""
    with pytest.raises(BadSample, match="512x512") as refused:
        unresize(astronaut, rocket)
    assert refused.value.reason is Reason.BELOW_LIMIT
