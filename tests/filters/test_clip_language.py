"""The arithmetic of sayings, the gate, and the views: on numbers and pixels put in by hand, without a network."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from filters.clip import ClipSettings
from filters.language import margins, views
from filters.language.gate import gate
from filters.language.prompts import ANTONYMS, BASIS, PRESETS, REALRESTORER, TAGS, TASKS
from filters.language.views import Sight

X, Y, Z = np.eye(3, dtype=np.float32)


def at_angle(degrees: float) -> np.ndarray:
    """A unit vector between X and Y."""
    turn = math.radians(degrees)
    return (math.cos(turn) * X + math.sin(turn) * Y).astype(np.float32)


def test_p_is_the_softmax_between_the_two_sides():
    """A view 30 degrees from the degraded saying and 60 from the clean one gets the softmax of the two cosines."""
    logit = margins.logits(at_angle(30)[None], margins.contrast(X[None], Y[None])[None], scale=10.0)[0]
    both = np.exp(10 * np.array([math.cos(math.radians(30)), math.cos(math.radians(60))]))
    assert margins.probability(logit)[0] == pytest.approx(both[0] / both.sum(), abs=1e-6)


def test_wordings_are_averaged_as_directions():
    """Two wordings 20 degrees to either side of X point to X itself, whatever their lengths."""
    around = np.stack([at_angle(20), at_angle(-20) * 7])
    assert margins.contrast(around, Z[None]) == pytest.approx(X - Z, abs=1e-6)


def test_a_margin_is_the_distance_to_the_best_other():
    """The best task stands above the second, every other one below the best; a lone one keeps its logit."""
    assert margins.margins(np.array([1.0, 4.0, 2.5])).tolist() == [-3.0, 1.5, -1.5]
    assert margins.margins(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]
    assert margins.margins(np.array([-3.0])).tolist() == [-3.0]


def test_extreme_logits_stay_finite():
    """A thousand logits either way give 0 and 1 without overflow."""
    with np.errstate(over="raise"):
        assert margins.probability(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]


def test_views_are_pooled_as_the_task_asks():
    """Frame, mean of tiles, most of tiles, and both halves; without tiles the frame speaks for all."""
    frame, tiles = np.zeros(4), np.array([[1.0] * 4, [3.0] * 4])
    bases = ("frame", "tiles", "tiles_max", "both")
    assert margins.pooled(frame, tiles, bases).tolist() == [0.0, 2.0, 3.0, 1.0]
    assert margins.pooled(frame, tiles[:0], bases).tolist() == [0.0] * 4


def test_a_view_scores_the_same_in_any_company():
    """One view's logits are equal to the last bit alone and among a thousand others."""
    rng = np.random.default_rng(0)
    many = rng.normal(size=(1000, 64)).astype(np.float32)
    contrasts = rng.normal(size=(9, 64))
    together = margins.logits(many, contrasts, 100.0)
    assert all((margins.logits(many[at : at + 1], contrasts, 100.0)[0] == together[at]).all() for at in (0, 1, 500, 999))


NUMBERS = {"p.rain": 0.9, "margin.rain": 1.2, "p.low_light": 0.75, "margin.low_light": -1.2, "p.haze": 0.3, "margin.haze": -3.0, "frame.haze": 0.99}


@pytest.mark.parametrize(
    ("least_p", "least_margin", "task", "others"),
    [
        (0.7, 0.5, "rain", ["low_light"]),
        (0.2, 0.0, "rain", ["low_light", "haze"]),
        (0.7, 2.0, None, ["rain", "low_light"]),  # nothing stands out
        (0.95, 0.0, None, []),
        ({"low_light": 0.5}, -9.0, "low_light", []),  # only tasks of the table pass
        ({"rain": 0.8, "haze": 0.2}, {"rain": 1.0}, "rain", ["haze"]),
    ],
)
def test_the_gate(least_p, least_margin, task, others):
    """The plainest task that passes is the photo's own, the rest is kept beside it."""
    carried = gate(NUMBERS, least_p, least_margin)
    assert (carried.task, list(carried.others)) == (task, others)
    assert all(carried.others[name] == NUMBERS[f"p.{name}"] for name in others)


def test_saturated_tasks_are_told_apart_by_their_margin():
    """Two tasks at p = 1 are ordered by how plainly they show."""
    numbers = {"p.blur": 1.0, "margin.blur": -4.0, "p.rain": 1.0, "margin.rain": 4.0}
    assert gate(numbers, 0.5) == ("rain", {"blur": 1.0})


def test_every_task_is_asked_from_both_sides():
    """The nine tasks, and only they, have sayings, opposites and a basis; RealRestorer's are the paper's six."""
    assert list(ANTONYMS) == ["blur", "compression", "moire", "low_light", "noise", "flare", "reflection", "haze", "rain"]
    assert set(ANTONYMS) == set(BASIS) == set(TASKS)
    assert set(REALRESTORER) == {"flare", "haze", "rain", "low_light", "blur", "reflection"}
    assert all(len(sayings.present) == 1 for sayings in REALRESTORER.values())


def test_opposites_name_what_is_there():
    """No side says "no" or "without", which CLIP does not hear, and no wording stands on both sides."""
    for sayings in [*ANTONYMS.values(), *TAGS.values()]:
        words = {word.strip(",.") for saying in (*sayings.present, *sayings.absent) for word in saying.lower().split()}
        assert not words & {"no", "not", "without", "never", "un"}
        assert not set(sayings.present) & set(sayings.absent)


def test_a_recipe_may_say_it_otherwise():
    """Own sayings replace those of their task and leave the others, or stand alone."""
    own = {"prompts": {"haze": {"degraded": ["thick smog"], "clean": ["blue sky"]}}}
    mixed = ClipSettings.model_validate(own).sayings()
    assert mixed["haze"] == (("thick smog",), ("blue sky",))
    assert mixed["rain"] == PRESETS["antonyms"]["rain"]
    assert list(ClipSettings.model_validate({**own, "preset": "own"}).sayings()) == ["haze"]


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ({"prompts": {"hase": {"degraded": ["a hazy photo"], "clean": ["a clear photo"]}}}, "did you mean `haze`"),
        ({"prompts": {"haze": {"degraded": [], "clean": ["a clear photo"]}}}, "degraded"),
        ({"prompts": {"haze": {"degraded": ["fog " * 60], "clean": ["a clear photo"]}}}, "200 characters"),
        ({"preset": "own"}, "no sayings"),
        ({"presets": "own"}, "did you mean `preset`"),
    ],
)
def test_wrong_settings_are_refused_by_name(page, hint):
    """A wrong key, task or saying is named, with the nearest right one."""
    with pytest.raises(ValueError, match=hint):
        ClipSettings.model_validate(page)


@pytest.mark.parametrize("size", [(512, 512), (640, 427), (427, 640), (1300, 900), (90, 300), (224, 224), (7, 5)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_the_frame_is_what_open_clip_would_show(rocket, size, mode):
    """Our frame is the checkpoint's own transform to half a level on average, for photos of any shape, larger or smaller."""
    transform = pytest.importorskip("open_clip.transform")
    from PIL import Image

    photo = cv2.resize(rocket, size, interpolation=cv2.INTER_AREA)
    theirs = transform.image_transform(224, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), resize_mode=mode, interpolation="bicubic", fill_color=9)
    shown = theirs(Image.fromarray(photo)).numpy().transpose(1, 2, 0) * 255
    ours = views.frame(photo, Sight(224, 224, mode, fill=9))
    assert ours.shape == (224, 224, 3)
    assert np.abs(ours - shown).mean() < 0.5


def test_tiles_hold_the_photos_own_pixels(astronaut):
    """A tile is a piece of the photo, not a scaled copy."""
    sight = Sight(100, 120)
    spots = views.places(astronaut, 5, "spread", sight)
    assert len(set(spots)) == 5
    for tile, (top, left) in zip(views.tiles(astronaut, spots, sight), spots, strict=True):
        assert (tile == astronaut[top : top + 100, left : left + 120]).all()


def test_a_photo_smaller_than_a_tile_is_mirrored(astronaut):
    """A photo of 50 x 300 gives tiles of full size, filled with its own mirror image."""
    small = astronaut[:50, :300]
    sight = Sight(224, 224)
    tiles = views.tiles(small, views.places(small, 5, "spread", sight), sight)
    assert [tile.shape for tile in tiles] == [(224, 224, 3)] * 2
    assert (tiles[0][50] == small[48, :224]).all()


def test_spread_tiles_cover_a_photo():
    """With as many tiles as fit side by side, no pixel is left out."""
    photo = np.zeros((500, 700, 3), np.uint8)
    spots = views.places(photo, 99, "spread", Sight(224, 224))
    covered = np.zeros(photo.shape[:2], bool)
    for top, left in spots:
        covered[top : top + 224, left : left + 224] = True
    assert covered.all()
    assert len(spots) == 12


def test_detailed_tiles_look_where_the_detail_is():
    """The one textured corner of a plain photo is found, and noise in another corner is not taken for it."""
    rng = np.random.default_rng(1)
    photo = np.full((600, 900, 3), 128, np.uint8)
    photo[380:, 680:] = np.repeat(np.repeat(rng.integers(0, 256, (55, 55, 1), np.uint8), 4, 0), 4, 1)[:220, :220]
    photo[:220, :220] = np.clip(128 + rng.normal(0, 25, (220, 220, 3)), 0, 255).astype(np.uint8)
    assert views.places(photo, 1, "detailed", Sight(224, 224)) == [(376, 676)]
