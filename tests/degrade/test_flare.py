"""Flare only adds light, sits on the photo's own lamps, and is a pure function of its params."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, chain, flare
from degrade.contract import STRATA, Assets, Facts, Light, Linear, Srgb, Texture
from degrade.errors import BadSample, Reason
from degrade.lens import added
from degrade.lens.ghosts import Mirror
from degrade.lens.pasted import Pasted
from degrade.scene import lights
from degrade.stream import stream

LAMP = Light(0.3, 0.25, 0.012, (1.0, 0.8, 0.5), 20.0)
NIGHT = Facts(320, 256, luminance=0.02, lights=(LAMP,))
DARK_ROOM = Facts(320, 256)


def drawn(stratum: int = 4, key: str = "a", facts: Facts = NIGHT, **fixed: Any) -> flare.FlareParams:
    return flare.sample(stream(7, "flare", key), flare.FlareRanges(outside=1.0), facts, stratum)._replace(**fixed)


def lens(params: flare.FlareParams, **fixed: Any) -> flare.FlareParams:
    return params._replace(lens=params.lens._replace(**fixed))


@pytest.fixture(scope="module")
def street() -> Srgb:
    """A dark wall with texture, and one clipped lamp where the facts say."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.random((256, 320, 3), np.float32), (0, 0), 3.0)
    photo = camera.to_srgb((0.04 * (wall / wall.mean()) ** 3).astype(np.float32))
    cv2.circle(photo, (round(LAMP.x_frac * 320 - 0.5), round(LAMP.y_frac * 256 - 0.5)), 3, (255, 255, 255), -1)
    return photo


@pytest.fixture(scope="module")
def light(street: Srgb) -> Linear:
    return camera.to_linear(street)


@pytest.mark.parametrize("stratum", range(1, STRATA + 1))
def test_flare_only_adds_light(light: Linear, stratum: int) -> None:
    """Undo the recorded exposure, and no pixel is darker than before, whatever the lens and the noise."""
    for key in "abcdef":
        params = drawn(stratum, key)
        made = flare.render(light, params, Assets()) / np.float32(2.0**params.exposure_ev)
        assert (made - light).min() > -1e-5


def test_what_is_added_is_the_layer(light: Linear) -> None:
    """The layer that authors ask for is what the picture gained, below its highlights and without noise."""
    params = drawn(3, noise_gain=0.0, exposure_ev=0.0)
    gained = flare.render(light, params, Assets()) - light
    assert np.allclose(gained, flare.layers(light, params, Assets())["flare"], atol=1e-5)


@pytest.mark.parametrize("stratum", range(1, STRATA + 1))
def test_the_added_light_drowns_the_recorded_share(light: Linear, stratum: int) -> None:
    """Severity measured on the layer is the severity of the record, on a dark and on a bright photo, whose added light meets the shoulder."""
    for key, photo in itertools.product("abcd", (light, np.minimum(12 * light, 1))):
        params = drawn(stratum, key)
        mean = float(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).mean())
        seen = added.drowned(flare.layers(photo, params, Assets())["flare"], mean)
        assert 100 * seen == pytest.approx(params.glare, rel=0.03)


def test_the_lamp_stays_clipped_in_both_sides(street: Srgb) -> None:
    """The clean side keeps its lamp, and the camera that meters the flare does not turn it grey."""
    core = np.s_[round(LAMP.y_frac * 256 - 0.5), round(LAMP.x_frac * 320 - 0.5)]
    before = street.copy()
    for stratum, key in itertools.product(range(1, STRATA + 1), "abc"):
        degraded = chain.render(street, [chain.Step(flare.GENERATOR, drawn(stratum, key))], Assets()).pixels
        assert degraded[core].min() == 255
        assert street[core].min() == 255
    assert np.array_equal(street, before)


def test_a_white_wall_stays_white_when_the_camera_meters_down() -> None:
    """What was clipped is at least as bright as a darker exposure needs."""
    white = np.ones((96, 96, 3), np.float32)
    params = drawn(5, exposure_ev=-1.0, noise_gain=0.0)
    assert flare.render(white, params, Assets()).min() >= 1.0


def test_flare_takes_the_colour_of_its_light(light: Linear) -> None:
    """A red lamp veils in red, a blue one in blue."""
    bare = lens(drawn(4), ghosts=(), mirror=None, halo=None, streak=None)
    bare = lens(bare, veil=bare.lens.veil._replace(scene=0.0))
    for channel, colour in ((0, (1.0, 0.3, 0.2)), (2, (0.2, 0.3, 1.0))):
        source = bare.sources[0]._replace(colour=colour)
        mean = flare.layers(light, bare._replace(sources=(source,)), Assets())["flare"].mean((0, 1))
        assert mean.argmax() == channel


def test_a_black_and_white_photo_gets_no_coloured_flare(light: Linear) -> None:
    """Film without colours shows a sodium lamp's flare in grey."""
    grey = cv2.cvtColor(cv2.cvtColor(light, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    for key in "abc":
        layer = flare.layers(grey, drawn(5, key), Assets())["flare"]
        assert np.allclose(layer[..., 0], layer[..., 2], atol=1e-6)


def test_flare_peaks_on_the_light(light: Linear) -> None:
    """Ghosts and mirror aside, nothing outshines the place of the lamp."""
    for key in "abcdef":
        params = lens(drawn(3, key), ghosts=(), mirror=None)
        layer = cv2.GaussianBlur(cv2.cvtColor(flare.layers(light, params, Assets())["flare"], cv2.COLOR_RGB2GRAY), (0, 0), 3.0)
        _, _, _, (column, row) = cv2.minMaxLoc(layer)
        assert np.hypot(column - (LAMP.x_frac * 320 - 0.5), row - (LAMP.y_frac * 256 - 0.5)) < 5


def test_a_light_outside_the_frame_puts_no_core_into_it(light: Linear) -> None:
    """Its veil and spikes are brightest at the edge and fall inwards: ghosts aside, no bright spot hangs in mid-air."""
    for at in range(12):
        params = drawn(4, str(at), DARK_ROOM)
        source = params.sources[0]
        assert not (0 <= source.x_frac <= 1 and 0 <= source.y_frac <= 1)
        params = lens(params, ghosts=(), veil=params.lens.veil._replace(scene=0.0))
        layer = cv2.GaussianBlur(cv2.cvtColor(flare.layers(light, params, Assets())["flare"], cv2.COLOR_RGB2GRAY), (0, 0), 4.0)
        _, peak, _, (column, row) = cv2.minMaxLoc(layer)
        ring = params.lens.halo is not None
        assert ring or min(column, row, 319 - column, 255 - row) <= 4
        assert layer[96:160, 120:200].max() < 0.9 * peak


@pytest.mark.parametrize(("x", "y"), [(-0.02, 0.5), (1.02, 0.5), (0.5, -0.02), (0.5, 1.02)])
def test_a_light_beyond_any_edge_has_no_mirror_image(light: Linear, x: float, y: float) -> None:
    """Its lens would show one if it stood in the frame."""
    params = drawn(facts=Facts(320, 256, lights=(LAMP._replace(x_frac=x, y_frac=y),)))
    shown = lens(params, mirror=Mirror(0.02, (1.0, 1.0, 1.0), 0.003))
    bare = lens(params, mirror=None)
    assert np.array_equal(flare.layers(light, shown, Assets())["flare"], flare.layers(light, bare, Assets())["flare"])
    inside = [one._replace(sources=(one.sources[0]._replace(x_frac=0.97, y_frac=0.97),)) for one in (shown, bare)]
    assert not np.array_equal(*(flare.layers(light, one, Assets())["flare"] for one in inside))


def test_no_lamp_is_no_flare_unless_one_outside_is_wanted() -> None:
    """Photos without a light are refused, by the share that the recipe sets."""
    with pytest.raises(BadSample) as refusal:
        flare.sample(stream(1, "flare", "x"), flare.FlareRanges(outside=0.0), DARK_ROOM, 3)
    assert refusal.value.reason is Reason.NO_LIGHT_SOURCE
    assert flare.sample(stream(1, "flare", "x"), flare.FlareRanges(outside=1.0), DARK_ROOM, 3).lens.mirror is None


def test_only_strong_lights_flare_strongest_first() -> None:
    """At most four lights of those that the index found, none fifty times fainter than the first."""
    many = (*(LAMP._replace(x_frac=0.1 * at, power=20.0 - 2 * at) for at in range(1, 8)), LAMP._replace(power=1.0, radius_frac=0.001))
    sources = drawn(facts=Facts(320, 256, lights=many)).sources
    assert len(sources) == flare.MOST_LIGHTS
    assert sources[0].flux == 1.0
    assert [source.flux for source in sources] == sorted((source.flux for source in sources), reverse=True)


def bank(side: int = 96) -> Texture:
    """A drawn flare on a background that is not quite black."""
    image = np.full((side, side, 4), 4, np.uint8)
    image[..., 3] = 255
    cv2.line(image, (0, 0), (side - 1, side - 1), (255, 200, 120, 255), 3)
    return image


def test_an_image_of_the_bank_sits_on_the_light(light: Linear) -> None:
    """Pasted flares are centred on the lamp, and their background adds nothing."""
    image = Pasted(weight=3.0, rotation_deg=0.0, scale=0.9, flip=False, offset=0.01, blur_frac=0.0)
    params = lens(drawn(4, textures=(image,), glare=1.0), burst=None, ghosts=(), mirror=None, halo=None, streak=None)
    here = Assets(textures={"flare": (bank(),)})
    params = lens(params, veil=params.lens.veil._replace(weight=1e-9, scene=0.0))
    layer = flare.layers(light, params, here)["flare"].sum(2)
    rows, columns = np.nonzero(layer > 0.5 * layer.max())
    slope = np.polyfit(columns, rows, 1)
    assert slope[0] == pytest.approx(1.0, abs=0.05)
    assert np.polyval(slope, LAMP.x_frac * 320 - 0.5) == pytest.approx(LAMP.y_frac * 256 - 0.5, abs=1.5)
    assert layer[40, 180] < 1e-3 * layer.max()


def test_a_missing_bank_is_an_error() -> None:
    """Params that name an image do not quietly render without it."""
    params = drawn(textures=(Pasted(1.0, 0.0, 1.0, flip=False, offset=0.0, blur_frac=0.0),))
    with pytest.raises(ValueError, match=r"textures\['flare'\]"):
        flare.render(np.full((64, 64, 3), 0.1, np.float32), params, Assets())


def test_banks_are_used_where_there_is_one() -> None:
    """Without textures nothing is pasted; with them the drawn share is."""
    counts = [len(drawn(key=str(at), facts=NIGHT).textures) for at in range(40)]
    assert not any(counts)
    with_bank = [drawn(key=str(at), facts=Facts(320, 256, lights=(LAMP,), textures=2)) for at in range(60)]
    pasted = [params for params in with_bank if params.textures]
    assert 15 < len(pasted) < 45
    assert all(params.lens.burst is None for params in pasted)


@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (131, 64), (700, 901), (64, 1500)])
def test_any_size_keeps_its_shape(shape: tuple[int, int]) -> None:
    """Odd and small sizes render without holes."""
    light = np.random.default_rng(1).random((*shape, 3), dtype=np.float32)
    for key in "abc":
        made = flare.render(light, drawn(5, key), Assets())
        assert made.shape == light.shape
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert made.min() >= 0


def test_size_does_not_change_the_look(street: Srgb) -> None:
    """Flare on a photo of twice the size is the same flare."""
    params = lens(drawn(4, noise_gain=0.0), mirror=None)
    small = flare.layers(camera.to_linear(street), params, Assets())["flare"]
    large = camera.to_linear(cv2.resize(street, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR))
    again = cv2.resize(flare.layers(large, params, Assets())["flare"], (320, 256), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), again.ravel())[0, 1] > 0.98
    assert again.mean() == pytest.approx(small.mean(), rel=0.1)


def test_similarity_falls_with_every_stratum_on_real_photos(data: Path) -> None:
    """Mild flare is mild, strong flare hurts, on photos with lights and without."""
    level: dict[int, list[float]] = {stratum: [] for stratum in range(1, STRATA + 1)}
    for name in ("night_street_lamps", "sunset_flare_silhouette", "street_london", "cars_street_dusk"):
        photo = cv2.cvtColor(cv2.imread(str(data / "clean" / f"{name}.jpg"), cv2.IMREAD_REDUCED_COLOR_4), cv2.COLOR_BGR2RGB)
        photo = cv2.resize(photo, (320, 320 * photo.shape[0] // photo.shape[1]), interpolation=cv2.INTER_AREA)
        facts = Facts(*photo.shape[1::-1], luminance=float(camera.to_linear(photo).mean()), lights=lights.find(photo))
        for stratum, key in itertools.product(level, "ab"):
            step = chain.Step(flare.GENERATOR, drawn(stratum, name + key, facts))
            level[stratum].append(float(cv2.PSNR(photo, chain.render(photo, [step], Assets()).pixels)))
    means = [float(np.mean(values)) for values in level.values()]
    assert means == sorted(means, reverse=True)
    assert min(level[1]) > 25
    assert means[-1] < 24
