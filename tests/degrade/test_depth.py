"""Depth priors: the ground recedes, things stand up, skies are far; and what shows distance at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.scene.depth import far, geometric, horizon_frac
from degrade.scene.models import DepthModel, relative_inverse
from degrade.scene.proxy import proxy
from degrade.scene.sky import sky

FAR = (
    "architecture_sky",
    "beach_rob_bye",
    "cars_street_dusk",
    "lake_village_depth4",
    "lighthouse_dusk_william_bout",
    "mountain_forest_dreamypixel",
    "mountain_ryan_schroeder",
    "night_mountain_stars",
    "night_neon_city",
    "night_street_lamps",
    "night_traffic_dusk",
    "pier_sunset",
    "rocks_victor_svistunov",
    "sea_edoardo_brogiolo",
    "street_london",
    "sunflowers_sky",
)
NEAR = (
    "flower_macro",
    "glass_bottles",
    "indoor_glass_room",
    "indoor_palace_hall",
    "interior_brown_architecture",
    "museum_case_glass",
    "plant_pablo_garcia_saldana",
    "satellite_spacex",
    "street_shop_text",
    "text_signs_french",
    "truck_street",
)


def opened(path: Path) -> Srgb:
    photo = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)
    assert photo is not None
    return proxy(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FAR)
def test_landscapes_and_streets_under_the_sky_are_far(data: Path, name: str) -> None:
    """Haze may act on a photo that shows open sky, by day and by night."""
    small = opened(data / "clean" / f"{name}.jpg")
    assert far(small, sky(small))


@pytest.mark.parametrize("name", NEAR)
def test_rooms_macro_shots_and_walls_are_not_far(data: Path, name: str) -> None:
    """Haze is refused where nothing is distant."""
    small = opened(data / "clean" / f"{name}.jpg")
    assert not far(small, sky(small))


def test_a_portrait_is_not_far(astronaut: Srgb) -> None:
    """Haze is refused where a person fills the picture."""
    assert not far(astronaut, sky(astronaut))


def test_a_sharp_subject_before_a_blurred_surround_is_not_far() -> None:
    """A lens that isolates its subject shows no usable distance, sky or no sky."""
    rng = np.random.default_rng(0)
    photo = np.full((300, 400, 3), (90, 80, 70), np.uint8)
    photo[:80] = (130, 170, 230)
    photo[120:240, 140:260] = rng.integers(0, 255, (120, 120, 3))
    above = np.zeros((300, 400), np.float32)
    above[:80] = 1
    assert not far(photo, above)


def test_the_ground_recedes_to_the_horizon_and_the_sky_is_farthest() -> None:
    """Inverse depth falls row by row up to the horizon, and is zero in the sky."""
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[:100] = (130, 170, 230)
    photo[100:] = (90, 80, 70)
    above = np.zeros((200, 300), np.float32)
    above[:100] = 1
    prior = geometric(photo, above)
    column = prior.inverse[:, 150]
    assert prior.horizon_frac == pytest.approx(0.5, abs=0.02)
    assert column[:98].max() < 0.02
    assert np.all(np.diff(column[105:]) >= -1e-3)
    assert column[-1] > 0.85


def test_a_tower_has_one_distance() -> None:
    """What rises above the horizon stands upright where it meets the ground."""
    photo = np.zeros((240, 320, 3), np.uint8)
    photo[:120] = (130, 170, 230)
    photo[120:] = (90, 110, 70)
    photo[30:180, 130:190] = (60, 30, 30)
    above = np.zeros((240, 320), np.float32)
    above[:120] = 1
    above[30:120, 130:190] = 0
    inverse = geometric(photo, above).inverse
    assert inverse[60, 160] == pytest.approx(inverse[150, 160], abs=0.12)
    assert inverse[60, 160] > 0.25
    assert inverse[60, 60] == 0


def test_a_photo_without_sky_has_its_horizon_in_a_usual_place() -> None:
    """Nothing seen, nothing claimed."""
    assert 0.3 < horizon_frac(np.zeros((100, 150), np.float32)) < 0.6


@pytest.mark.parametrize("shape", [(16, 16), (65, 97), (512, 40)])
def test_flat_pictures_have_a_prior(shape: tuple[int, int]) -> None:
    """A blank photo breaks nothing."""
    prior = geometric(np.full((*shape, 3), 128, np.uint8), np.zeros(shape, np.float32))
    assert prior.inverse.shape == shape
    assert prior.inverse.dtype == np.float32
    assert np.isfinite(prior.inverse).all()


def test_a_depth_checkpoint_loads_by_folder_and_maps_batches(tiny_dpt: Path, rocket: Srgb, astronaut: Srgb) -> None:
    """Photos of several sizes in one call come back in order, each at its proxy's size, 0..1."""
    model = DepthModel(str(tiny_dpt), device="cpu")
    photos = [proxy(rocket, 160), proxy(astronaut, 128), proxy(rocket, 160)]
    priors = model.priors(photos, [np.zeros(photo.shape[:2], np.float32) for photo in photos])
    assert [prior.inverse.shape for prior in priors] == [photo.shape[:2] for photo in photos]
    assert all(prior.inverse.min() >= 0 and prior.inverse.max() <= 1 for prior in priors)
    assert np.allclose(priors[0].inverse, priors[2].inverse, atol=1e-4)
    assert not model.metric
    assert priors[0].maker == str(tiny_dpt)


def test_metres_are_turned_into_inverse_depth() -> None:
    """A metric network's nearest pixel becomes the nearest of the prior."""
    metres = np.linspace(2, 80, 64, dtype=np.float32).reshape(8, 8)
    inverse = relative_inverse(metres, (8, 8), metric=True)
    assert inverse.argmax() == 0
    assert inverse.argmin() == 63


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dpt_large", "hf download Intel/dpt-large"),
        ("nobody/nothing@abc123", "hf download nobody/nothing --revision abc123"),
        ("dpt_larg", "did you mean `dpt_large`"),
        ("midas_small", "depth_anything_v2_small"),
    ],
)
def test_a_missing_model_names_the_command(name: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs never download: they say what to run."""
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingModel, match=hint):
        DepthModel(name)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    """An empty folder is no model."""
    pytest.importorskip("transformers")
    with pytest.raises(MissingModel, match="no depth checkpoint"):
        DepthModel(str(tmp_path))


def test_a_cat_before_a_brown_wall_shows_no_distance() -> None:
    """What is smooth, bright and at the top is no sky when it is brown."""
    from skimage import data

    small = proxy(np.ascontiguousarray(data.chelsea()))
    assert not far(small, sky(small))


@pytest.mark.parametrize("name", ["hopper.webp", "hopper.avif", "adobergb_photo.jpg"])
def test_a_portrait_before_a_blue_wall_and_coins_on_asphalt_show_no_distance(data: Path, name: str) -> None:
    """Backdrops and grounds that are flat and fill the top are no skies to be far from."""
    small = opened(data / "odd" / name)
    assert not far(small, sky(small))


@pytest.mark.parametrize("name", ["cell.png", "clock_motion.png", "microaneurysms.png", "moon.png", "retina.jpg", "text.png"])
def test_a_microscope_and_a_page_show_no_distance(name: str) -> None:
    """Neither an even ground that goes on to the lower edge nor black around a lit disc is sky."""
    import skimage.data

    small = opened(Path(skimage.data.__file__).parent / name)
    assert not far(small, sky(small))


def test_space_is_black_by_day_and_has_no_haze() -> None:
    """The same well-lit land is far under a sky and not under a black one; dark land under it is a night."""
    rng = np.random.default_rng(0)
    above = np.zeros((200, 300), np.float32)
    above[:90] = 1
    grain = rng.integers(0, 40, (110, 300, 1), dtype=np.uint8)

    def scene(top: int, land: int) -> Srgb:
        photo = np.full((200, 300, 3), top, np.uint8)
        photo[90:] = grain + np.uint8(land)
        return photo

    assert far(scene(180, 130), above)
    assert not far(scene(6, 130), above)
    assert far(scene(6, 30), above)
