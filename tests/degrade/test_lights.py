"""Lamps and the sun are found where they are, white things are not, and crops see them where they belong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.contract import Light, Srgb
from degrade.scene import lights


def opened(path: Path) -> Srgb:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), cv2.COLOR_BGR2RGB)


def lamp_photo(x: float, y: float, glow: float, width: int = 640, height: int = 480) -> Srgb:
    """A dark wall and a clipped lamp with a glow around it."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    squared = (columns - x) ** 2 + (rows - y) ** 2
    light = 0.02 + 0.004 * np.random.default_rng(2).random((height, width), np.float32)
    light = light + glow / (1 + squared / 15.0**2) + 5.0 * (squared < 6.0**2)
    return camera.to_srgb(np.stack([light, 0.8 * light, 0.5 * light], -1).astype(np.float32))


def test_a_lamp_is_found_where_it_is() -> None:
    """Place and core of a clipped lamp are right to a pixel or two, and its colour is that of its glow."""
    (found,) = lights.find(lamp_photo(200.0, 120.0, 0.4))
    assert found.x_frac * 640 - 0.5 == pytest.approx(200.0, abs=1.5)
    assert found.y_frac * 480 - 0.5 == pytest.approx(120.0, abs=1.5)
    assert found.radius_frac * 480 == pytest.approx(6.0, abs=2.0)
    assert found.colour[0] == 1.0
    assert found.colour[0] > found.colour[1] > found.colour[2]
    assert found.power > 5


def test_the_stronger_glow_comes_first() -> None:
    """Lights are sorted by what they send to the lens."""
    photo = np.maximum(lamp_photo(150.0, 100.0, 0.2), lamp_photo(480.0, 350.0, 0.6))
    found = lights.find(photo)
    assert len(found) == 2
    assert found[0].x_frac > 0.5 > found[1].x_frac


def test_paper_walls_and_skies_are_no_lights() -> None:
    """White things end at an edge or are large."""
    desk = np.full((480, 640, 3), 90, np.uint8)
    desk[100:130, 100:140] = 255
    assert lights.find(desk) == ()
    desk[:200] = 255
    assert lights.find(desk) == ()
    assert lights.find(np.full((100, 100, 3), 255, np.uint8)) == ()
    assert lights.find(np.zeros((100, 100, 3), np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 3000, 3), (3000, 1, 3), (2, 3000, 3), (1, 1, 3)])
def test_a_line_has_no_lights(shape: tuple[int, ...]) -> None:
    """A picture one px thin, however long, has no half size and no lights."""
    assert lights.find(np.full(shape, 90, np.uint8)) == ()


def test_a_gradient_sky_is_no_sun() -> None:
    """A sky that grows brighter to one side has no maximum inside."""
    row = np.linspace(120, 255, 640).astype(np.uint8)
    assert lights.find(np.repeat(np.repeat(row[None, :, None], 400, 0), 3, 2)) == ()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("night_street_lamps", (0.79, 0.24)),
        ("lighthouse_dusk_william_bout", (0.5, 0.34)),
        ("sunset_flare_silhouette", (0.65, 0.28)),
        ("night_traffic_dusk", (0.69, 0.32)),
    ],
)
def test_real_lights_are_found(data: Path, name: str, place: tuple[float, float]) -> None:
    """Street lamps, a lighthouse, the sun and a traffic light out of focus: the strongest is where people see it."""
    strongest = lights.find(opened(data / "clean" / f"{name}.jpg"))[0]
    assert np.hypot(strongest.x_frac - place[0], strongest.y_frac - place[1]) < 0.06


def test_several_street_lamps_are_several_lights(data: Path) -> None:
    """A row of lamps is found as a row, at most eight."""
    found = lights.find(opened(data / "clean" / "night_street_lamps.jpg"))
    assert 3 <= len(found) <= lights.MOST
    assert list(found) == sorted(found, key=lights.flux, reverse=True)


def test_white_things_of_real_photos_are_left_alone(data: Path) -> None:
    """Foam, snow, clouds, white cars, paper, flowers, glass, stars and windows."""
    names = ("sea_edoardo_brogiolo", "mountain_ryan_schroeder", "beach_rob_bye", "street_london", "sunflowers_sky", "truck_street", "text_signs_french")
    names += ("flower_macro", "glass_bottles", "museum_case_glass", "night_mountain_stars", "indoor_glass_room", "basketball_hoop", "street_shop_text")
    assert not [name for name in names if lights.find(opened(data / "clean" / f"{name}.jpg"))]


def test_a_crop_sees_the_light_at_the_same_pixel() -> None:
    """Fractions of the crop and of the photo name one point, and the radius keeps its pixels."""
    light = Light(0.25, 0.5, 0.01, (1.0, 1.0, 1.0), 3.0)
    (seen,) = lights.seen_in((light,), 100, 300, 512, 400, 2000, 1000)
    assert 100 + seen.x_frac * 512 == pytest.approx(0.25 * 2000)
    assert 300 + seen.y_frac * 400 == pytest.approx(0.5 * 1000)
    assert seen.radius_frac * 400 == pytest.approx(0.01 * 1000)
    assert seen[3:] == light[3:]


def test_lights_outside_a_crop_stay_up_to_half_a_side() -> None:
    """Just beyond the edge a light still sends its veil in; farther away it is forgotten."""
    near, far = Light(0.5, 0.55, 0.01, (1.0, 1.0, 1.0), 3.0), Light(0.5, 0.9, 0.01, (1.0, 1.0, 1.0), 9.0)
    seen = lights.seen_in((far, near), 400, 0, 400, 400, 1000, 1000)
    assert len(seen) == 1
    assert seen[0].y_frac == pytest.approx(550 / 400)
    assert seen[0].power == near.power
