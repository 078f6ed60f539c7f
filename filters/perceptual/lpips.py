"""LPIPS: how far apart two pictures look (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018).

    d = sum over layers l of  mean over places of  w_l . (f_l(clean) - f_l(degraded))^2

f_l are the features of an ImageNet classifier after layer l, each of unit length over its channels; w_l were fitted to people's
judgements (version 0.1). 0 is equal; 0.1 is hard to see, 0.5 another picture. The library `lpips` brings w_l; the classifier is
torchvision's file, which is never downloaded here. The mean is the library's own. Beside it stands the worst tile, which the
library does not give: a repainted patch of a large photo vanishes in the mean.

Layers are run one after the other and reduced at once, so that a pass holds the features of one layer, never those of all.
"""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from degrade.contract import Srgb
from degrade.errors import BadSample, MissingModel, Reason
from degrade.keys import nearest
from degrade.scene import checkpoints
from filters.perceptual import shapes
from filters.perceptual.shapes import Sides

TILE_PX: Final = 128
LEAST_PX: Final = 32  # below it, the last layers have no place left
WHAT: Final = "perceptual distances"


class Backbone(NamedTuple):
    """A classifier as torchvision publishes it."""

    file: str  # its name ends in the first digits of its SHA-256
    weights: str  # torchvision's own name, for the command that gets it
    at_once_px: int  # pixels of one side in a pass, which then takes about 0.6 GB (VGG 1.6 GB), whatever the batch

    @property
    def digest(self) -> str:
        """The first digits of the file's SHA-256."""
        return Path(self.file).stem.rpartition("-")[2]


BACKBONES: Final = {
    "alex": Backbone("alexnet-owt-7be5be79.pth", "AlexNet_Weights", 1 << 22),
    "vgg": Backbone("vgg16-397923af.pth", "VGG16_Weights", 1 << 20),
    "squeeze": Backbone("squeezenet1_1-b8a52dc0.pth", "SqueezeNet1_1_Weights", 1 << 20),
}


class Distance(NamedTuple):
    """How far apart two pictures look."""

    mean: float  # LPIPS as published
    worst: float  # of the worst tile of about 128 px


class Lpips:
    """LPIPS with one backbone, opened once.

    Args:
        net: of `BACKBONES`: `alex` judges best, `vgg` is the usual loss, `squeeze` is small.
        weights: torchvision's file of that backbone, any file of the same layout; by default the published one, in
            `$PATINA_MODELS` or torch's own cache, which must have its published SHA-256.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: no such backbone, no such file, another file under that name, or a library missing; says what to run.
    """

    def __init__(self, net: str = "alex", weights: str | None = None, device: str | None = None) -> None:
        torch = checkpoints.library("torch", WHAT, "lpips")
        if net not in BACKBONES:
            raise MissingModel(f"LPIPS has no backbone `{net}`; {nearest(net, BACKBONES)}")
        path, digest = find(net, weights)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _network(net, path).to(self.device)
        self._at_once_px = BACKBONES[net].at_once_px
        self.maker = f"lpips 0.1 {net}@{digest[:16]}"

    def prepare(self, clean: Srgb, degraded: Srgb, longest_px: int | None) -> Sides:
        """Return both sides as the network gets them: 2xHxWx3, at most so long.

        Raises:
            BadSample: too small for the network.
        """
        size = shapes.at_most(clean, longest_px)
        if min(size) < LEAST_PX:
            raise BadSample(Reason.TOO_SMALL, f"LPIPS needs {LEAST_PX} px on the short side, this has {min(size)}")
        return shapes.sides(clean, degraded, size)

    def distances(self, pairs: Sequence[Sides]) -> list[Distance]:
        """Return how far apart the two sides of each pair look; any mix of sizes. Batches change a number by less than 1e-5."""
        import torch

        found: dict[int, Distance] = {}
        for places, stack in shapes.by_shape(pairs, self._at_once_px):
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
                means, worst = self._reduced(torch.from_numpy(stack).to(self.device))
            found |= {place: Distance(*both) for place, both in zip(places, zip(means.tolist(), worst.tolist(), strict=True), strict=True)}
        return [found[place] for place in range(len(pairs))]

    def _reduced(self, stack: Any) -> tuple[Any, Any]:
        """Return the mean and the worst tile of each pair, float32 of N, from Nx2xHxWx3 uint8."""
        import torch

        height, width = stack.shape[2:4]
        grid = (max(1, round(height / TILE_PX)), max(1, round(width / TILE_PX)))
        means = torch.zeros(len(stack), device=self.device)
        tiles = torch.zeros(len(stack), *grid, device=self.device)
        for layer in self._layers(stack):
            means += layer.mean(dim=(1, 2))
            tiles += torch.nn.functional.adaptive_avg_pool2d(layer, grid)
        return means, tiles.amax(dim=(1, 2))

    def _layers(self, stack: Any) -> Iterator[Any]:
        """Yield the weighted squared differences of each layer, Nxhxw, from the first to the last."""
        from lpips import normalize_tensor

        network = self._network
        pixels = stack.flatten(0, 1).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
        features = network.scaling_layer(pixels)
        for slice_, weigh in zip(network.net.children(), network.lins, strict=True):
            features = slice_(features)
            unit = normalize_tensor(features).unflatten(0, (-1, 2))
            yield weigh((unit[:, 0] - unit[:, 1]).square_())[:, 0]


def find(net: str, named: str | None = None) -> tuple[Path, str]:
    """Return the backbone's file and its SHA-256; raises MissingModel with the command that gets it."""
    if named is not None:
        path = Path(named)
        if not path.is_file():
            raise MissingModel(f"there is no file {named} with the weights of LPIPS's backbone {net}; leave `lpips_weights` out for torchvision's own")
        return path, checkpoints.sha256(path)
    import torch

    wanted = BACKBONES[net]
    folders = (checkpoints.folder(), Path(torch.hub.get_dir()) / "checkpoints")
    for path in (folder / wanted.file for folder in folders):
        if path.is_file():
            digest = checkpoints.sha256(path)
            if digest.startswith(wanted.digest):
                return path, digest
            raise MissingModel(f"{path} is not the file that torchvision published (its SHA-256 begins with {digest[:8]}): delete it and {_command(net)}")
    raise MissingModel(f"LPIPS's backbone {net} is not on this machine: {_command(net)}")


def _command(net: str) -> str:
    return f'python -c "from torchvision.models import {BACKBONES[net].weights} as W; W.IMAGENET1K_V1.get_state_dict(check_hash=True)"'


def _network(net: str, path: Path) -> Any:
    """Return the library's network with the backbone's features from a file and the library's own weights of the layers."""
    import torch

    library = checkpoints.library("lpips", WHAT, "lpips")
    with warnings.catch_warnings(), torch.device("meta"):  # no weights are drawn, no memory is taken, nothing is fetched
        warnings.simplefilter("ignore", UserWarning)  # the library calls torchvision by an old argument
        network = library.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
    fitted = torch.load(Path(os.path.dirname(library.__file__)) / "weights" / "v0.1" / f"{net}.pth", map_location="cpu", weights_only=True)
    try:
        features = _features(torch.load(path, map_location="cpu", weights_only=True))
        state = {name: _weight(name, fitted, features, kept) for name, kept in network.state_dict().items()}
        network.load_state_dict(state, assign=True)
    except (pickle.UnpicklingError, OSError, RuntimeError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise MissingModel(f"{path} does not hold torchvision's {net} weights: {error}") from error
    return network.float().requires_grad_(requires_grad=False).eval()


def _features(state: Any) -> dict[str, Any]:
    return {name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")}


def _weight(name: str, fitted: dict[str, Any], features: dict[str, Any], kept: Any) -> Any:
    """Return the value of an entry of LPIPS's state: `lin0.` and `lins.0.` are one layer, `net.slice2.3.` is torchvision's `features.3.`."""
    room, _, rest = name.partition(".")
    if room == "scaling_layer":
        return kept
    if room == "net":
        return features[rest.partition(".")[2]]
    return fitted[f"lin{rest}" if room == "lins" else name]
