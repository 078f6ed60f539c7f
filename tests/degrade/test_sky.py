"""Sky is found where there is one, and rarely where there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.scene.proxy import proxy
from degrade.scene.sky import sky, sky_frac

SKIES = {
    "architecture_sky.jpg": (0.6, 0.75),
    "beach_rob_bye.jpg": (0.3, 0.38),
    "lake_village_depth4.jpg": (0.12, 0.25),
    "lighthouse_dusk_william_bout.jpg": (0.35, 0.45),
    "mountain_ryan_schroeder.jpg": (0.5, 0.62),
    "night_mountain_stars.jpg": (0.4, 0.55),
    "pier_sunset.jpg": (0.35, 0.48),
    "sea_edoardo_brogiolo.jpg": (0.2, 0.32),
    "street_london.jpg": (0.25, 0.4),
    "sunflowers_sky.jpg": (0.35, 0.55),
}
NO_SKIES = (
    "flower_macro.jpg",
    "glass_bottles.jpg",
    "indoor_glass_room.jpg",
    "indoor_palace_hall.jpg",
    "interior_brown_architecture.jpg",
    "museum_case_glass.jpg",
    "plant_pablo_garcia_saldana.jpg",
    "street_shop_text.jpg",
    "truck_street.jpg",
)


def opened(path: Path) -> Srgb:
    photo = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)
    assert photo is not None
    return proxy(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SKIES)
def test_skies_by_day_dusk_and_night_are_found(data: Path, name: str) -> None:
    """The share of sky is what a person would say, within a few per cent of the photo."""
    low, high = SKIES[name]
    assert low <= sky_frac(sky(opened(data / "clean" / name))) <= high


@pytest.mark.parametrize("name", NO_SKIES)
def test_rooms_close_ups_and_walls_have_no_sky(data: Path, name: str) -> None:
    """Flat and bright is not enough to be sky."""
    assert sky_frac(sky(opened(data / "clean" / name))) < 0.02


def test_a_sky_map_has_the_proxys_size_and_range(rocket: Srgb) -> None:
    """The map is soft, 0..1, one value per proxy pixel."""
    above = sky(rocket)
    assert above.shape == rocket.shape[:2]
    assert above.dtype == np.float32
    assert above.min() >= 0
    assert above.max() <= 1


def test_a_tower_in_the_sky_is_not_sky() -> None:
    """Sky is grown around what stands in it."""
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[:200] = (120, 160, 220)
    photo[200:] = (60, 80, 40)
    photo[60:200, 180:220] = (90, 60, 50)
    above = sky(photo)
    assert above[30, 200] > 0.95
    assert above[120, 60] > 0.95
    assert above[120, 200] < 0.05
    assert above[260, 200] < 0.05


def test_foliage_colours_are_no_sky() -> None:
    """A smooth green surface that fills the top is a blurred meadow."""
    assert sky_frac(sky(np.full((200, 300, 3), (90, 140, 60), np.uint8))) == 0


@pytest.mark.parametrize("shape", [(16, 16), (65, 97), (512, 40)])
@pytest.mark.parametrize("value", [0, 255])
def test_blank_pictures_do_not_break_it(shape: tuple[int, int], value: int) -> None:
    """Any size and any flat colour has an answer."""
    assert np.isfinite(sky(np.full((*shape, 3), value, np.uint8))).all()


def test_the_glow_of_a_lamp_lies_on_the_sky() -> None:
    """At night the smooth dark air about a lamp is sky, whatever its gradient; the lamp and the lit street below are not."""
    rows, columns = np.mgrid[0:240, 0:320].astype(np.float32)
    away = np.hypot(rows - 80, columns - 160)
    glow, lamp = 240 * np.exp(-away / 35), 255 * (away < 7)
    photo = np.clip(np.dstack([10 + 0.7 * glow + lamp, 10 + 0.9 * glow + lamp, 12 + glow + lamp]), 0, 255).astype(np.uint8)
    photo[180:] = np.random.default_rng(0).integers(30, 120, (60, 320, 1), dtype=np.uint8)
    above = sky(photo)
    assert above[30, 20] > 0.9
    assert above[80, 218] > 0.8
    assert above[80, 160] < 0.1
    assert above[220, 160] < 0.1


@pytest.mark.parametrize(("value", "found"), [(120, False), (15, True)])
def test_what_goes_on_to_the_lower_edge_is_sky_at_night_alone(value: int, found: bool) -> None:
    """Asphalt from edge to edge is no sky; black ground under a black sky cannot be told from it, and fades."""
    photo = np.full((200, 300, 3), (value, value, value + 3), np.uint8)
    photo[90:130, 120:190] = 250
    assert (sky_frac(sky(photo)) > 0.1) is found
