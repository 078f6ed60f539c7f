"""Restoration networks: tiny ones of spandrel's own architectures with random weights, saved to files and opened as a user's would be."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'patina[network]'")
pytest.importorskip("spandrel", reason="pip install 'patina[network]'")
from safetensors.torch import save_file
from spandrel.architectures.DnCNN import DnCNN
from spandrel.architectures.NAFNet import NAFNet
from spandrel.architectures.SPAN import SPAN

from benchmarks.train import contest
from benchmarks.train import network as trainer
from degrade.errors import MissingModel, RunError
from pipelines.makers import network, tiles
from pipelines.makers.contract import Order
from pipelines.makers.network import NetworkSettings
from pipelines.makers.tiles import Grid

torch.set_num_threads(1)


def order(photo) -> Order:
    return Order("0" * 32, np.ascontiguousarray(photo), "blur", "", 0)


def loud(make):
    """Return a network without training that changes what it is given, the same each time."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        made = make()
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return made.eval()


def nafnet(**shape: int):
    return loud(lambda: NAFNet(width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1], **shape))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A NAFNet's weights."""
    path = tmp_path_factory.mktemp("weights") / "nafnet.safetensors"
    save_file(nafnet().state_dict(), path)
    return path


def opened(path, **settings: object):
    return network.open_maker(NetworkSettings(file=str(path), **settings), "cpu")


def whole(made, photo):
    """Return what a network of torch gives for a photo."""
    picture = torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1)[None].float() / 255.0
    with torch.inference_mode():
        return (made(picture).clamp(0, 1) * 255).round().byte()[0].permute(1, 2, 0).numpy()


def far(one, other) -> int:
    return int(np.abs(one.astype(int) - other).max())


def test_a_file_restores_photos_without_a_network(file, astronaut, monkeypatch):
    """What spandrel opens gives what torch gives, sizes of any kind come back, twice the same bytes, and no socket is touched."""

    def refuse(*_args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    maker = opened(file)
    photo = astronaut[:128, :160]
    made, odd, again = maker.make([order(photo), order(astronaut[:97, :65]), order(photo)])
    assert far(made, whole(nafnet(), photo)) <= 1
    assert far(made, photo) > 20
    assert odd.shape == (97, 65, 3)
    assert np.array_equal(made, again)
    assert maker.name.startswith("NAFNet nafnet.safetensors@")
    assert ", float32, tiles of 1152 px" in maker.name


def test_torch_files_are_read_as_weights(tmp_path, astronaut):
    """The `params_ema` of a .pth, as BasicSR writes it, opens like any other."""
    torch.save({"params_ema": nafnet().state_dict()}, tmp_path / "net.pth")
    assert far(opened(tmp_path / "net.pth").make([order(astronaut[:64, :64])])[0], whole(nafnet(), astronaut[:64, :64])) <= 1


def test_our_trainers_networks_open(tmp_path, astronaut):
    """What `benchmarks.train` saves gives here what it gives there, though its network sees 2x2 px as one."""
    made = loud(lambda: trainer.make(8, seed=0))
    contest.save(made, tmp_path / "run.safetensors")
    photo = astronaut[:128, :96]
    assert far(opened(tmp_path / "run.safetensors").make([order(photo)])[0], whole(made, photo)) <= 1


def test_tiles_give_what_the_whole_gives(tmp_path, astronaut):
    """A network that looks no further than a quarter of the overlap gives the same in tiles, seams included."""
    made = loud(lambda: DnCNN(in_nc=3, out_nc=3, nc=8, nb=6, mode="DnCNN"))
    save_file({name: value.contiguous() for name, value in made.state_dict().items()}, tmp_path / "net.safetensors")
    one = opened(tmp_path / "net.safetensors").make([order(astronaut[:352, :288])])[0]
    cut = opened(tmp_path / "net.safetensors", tile_px=160, overlap_px=32)
    assert "tiles of 160 px overlapping by 32" in cut.name
    assert far(cut.make([order(astronaut[:352, :288])])[0], one) <= 1
    assert far(one, astronaut[:352, :288]) > 5


def test_seams_of_a_network_with_means_are_soft(file, astronaut):
    """NAFNet's channel means differ from tile to tile: the tiled picture is near the whole one, and no step shows where tiles meet."""
    photo = astronaut[:352, :352]
    one, cut = opened(file).make([order(photo)])[0], opened(file, tile_px=192, overlap_px=64).make([order(photo)])[0]
    off = cut.astype(float) - one
    assert np.abs(off).mean() < 3.0
    steps = np.abs(np.diff(off.mean(2), axis=1)).mean(0)
    assert steps.max() < 1.0  # levels, column to column, on average over the rows


@pytest.mark.parametrize("side", [128, 160, 192, 352, 416])
def test_weights_of_tiles_cover_a_side(side):
    """Tiles begin at multiples, end with the side, and every px counts somewhere."""
    grid = Grid.near(150, 30, 32)
    assert grid == (160, 32, 32)
    total = np.zeros(side)
    for begin, end in tiles.spans(side, grid):
        assert begin % 32 == 0
        assert end - begin == min(side, 160)
        total[begin:end] += tiles.weights((begin, end), side, grid)
    assert total.min() > 0.49


def test_other_than_photos_of_one_size_are_refused(tmp_path):
    """Networks that enlarge, or see grey, are refused with what they do."""
    save_file(SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).state_dict(), tmp_path / "twice.safetensors")
    with pytest.raises(MissingModel, match="this SPAN enlarges 2 times"):
        opened(tmp_path / "twice.safetensors")
    save_file(nafnet(img_channel=1).state_dict(), tmp_path / "grey.safetensors")
    with pytest.raises(MissingModel, match="takes 1 channels and gives 1"):
        opened(tmp_path / "grey.safetensors")


class Trap:
    """What a pickle of an attacker does when it is opened."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


def test_a_pickle_is_not_run(tmp_path):
    """A file whose pickle would run code is refused, and has run none."""
    torch.save({"params": Trap(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(MissingModel, match="cannot be read as weights alone"):
        opened(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_files_that_hold_no_network_are_named(tmp_path, file, monkeypatch):
    """Missing, unknown, broken and strangely called files each say what is wrong."""
    with pytest.raises(MissingModel, match=r"there are no weights at nothing\.pth"):
        opened("nothing.pth")
    monkeypatch.setenv("PATINA_MODELS", str(file.parent))
    assert opened(file.name).name.startswith("NAFNet")
    save_file({"weight": torch.zeros(3)}, tmp_path / "odd.safetensors")
    with pytest.raises(MissingModel, match="of no architecture that spandrel"):
        opened(tmp_path / "odd.safetensors")
    state = nafnet().state_dict()
    save_file({**state, "middle_blks.0.conv1.bias": torch.zeros(3)}, tmp_path / "misfit.safetensors")
    with pytest.raises(MissingModel, match="does not fit the architecture"):
        opened(tmp_path / "misfit.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(file.read_bytes()[:200])
    with pytest.raises(MissingModel, match="cannot be read as weights alone"):
        opened(tmp_path / "cut.safetensors")
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(MissingModel, match="weights are read from"):
        opened(tmp_path / "net.onnx")


def test_numbers_that_are_none_stop_the_job(tmp_path, astronaut):
    """A network that overflows says so instead of giving black photos."""
    state = nafnet().state_dict()
    save_file({**state, "intro.bias": torch.full_like(state["intro.bias"], float("inf"))}, tmp_path / "net.safetensors")
    with pytest.raises(RunError, match="numbers that are none"):
        opened(tmp_path / "net.safetensors").make([order(astronaut[:64, :64])])


def test_a_precision_that_an_architecture_does_not_bear_is_refused(file):
    """NAFNet in float16 is refused with what it bears."""
    with pytest.raises(RunError, match="float32 or bfloat16"):
        opened(file, precision="float16")
