"""The network that pairs are judged by: a small NAFNet, written from the paper.

    LayerNorm -> 1x1 conv -> 3x3 depthwise conv -> gate -> channel attention -> 1x1 conv, added to the input
    LayerNorm -> 1x1 conv -> gate -> 1x1 conv, added to the input

The gate multiplies one half of the channels with the other; the attention scales channels by a linear map of their means.
Blocks stand in a U-Net whose resolution halves and whose channels double from level to level; the network adds a
correction to the picture that it is given. Chen, Chu, Zhang and Sun, "Simple Baselines for Image Restoration", ECCV 2022.
Two departures, so that minutes on two cores are enough: it is small, and it sees every 2x2 px as one of twelve channels
(Zhang, Zuo and Zhang, "FFDNet", IEEE TIP 2018), which costs a quarter of the arithmetic.

A network of several tasks is told which one is asked for, as an editor is by its prompt: else it must guess whether a dark photo
is to be brightened. What it is told is a bias of the first convolution of every block, one row per task, zeros at first. A
network that is told one task, or none, is therefore a plain NAFNet, and is saved as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

ENCODER, MIDDLE, DECODER = (1, 1), 2, (1, 1)  # blocks by level
FOLD = 2  # px
MULTIPLE = FOLD * 2 ** len(ENCODER)  # sides of what the network sees are multiples of this
PUBLISHED = {  # our names of parts and those of the paper's own code
    "enter.1": "intro", "leave.0": "ending", "middle": "middle_blks",
    "norm_space": "norm1", "widen": "conv1", "space": "conv2", "attend": "sca.1", "narrow": "conv3", "scale_space": "beta",
    "norm_mix": "norm2", "mix_widen": "conv4", "mix_narrow": "conv5", "scale_mix": "gamma",
}  # fmt: skip


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of every pixel, for BxCxHxW."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; the same shape comes back."""
        return functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6).permute(0, 3, 1, 2)


def gate(x: Tensor) -> Tensor:
    """Multiply one half of the channels with the other: the only nonlinearity of the network."""
    one, other = x.chunk(2, dim=1)
    return one * other


class Block(nn.Module):
    """One NAFNet block; begins as the identity, because both its branches are scaled by zeros at first."""

    def __init__(self, channels: int, tasks: int) -> None:
        super().__init__()
        self.norm_space, self.norm_mix = ChannelNorm(channels), ChannelNorm(channels)
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.space = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.attend = nn.Conv2d(channels, channels, 1)
        self.narrow = nn.Conv2d(channels, channels, 1)
        self.mix_widen = nn.Conv2d(channels, 2 * channels, 1)
        self.mix_narrow = nn.Conv2d(channels, channels, 1)
        self.scale_space = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.scale_mix = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.told = nn.Parameter(torch.zeros(tasks, 2 * channels)) if tasks else None

    def forward(self, x: Tensor, told: Tensor | None) -> Tensor:
        """Return BxCxHxW for BxCxHxW and BxT, the share of each task; None: told nothing."""
        wide = self.widen(self.norm_space(x))
        if told is not None and self.told is not None:
            wide = wide + (told @ self.told)[:, :, None, None]
        seen = gate(self.space(wide))
        seen = seen * self.attend(seen.mean((2, 3), keepdim=True))
        x = x + self.narrow(seen) * self.scale_space
        mixed: Tensor = self.mix_narrow(gate(self.mix_widen(self.norm_mix(x)))) * self.scale_mix
        return x + mixed


class Blocks(nn.ModuleList):
    """Blocks one after the other."""

    def forward(self, x: Tensor, told: Tensor | None) -> Tensor:
        """Return BxCxHxW for BxCxHxW, as every block does."""
        for block in self:
            x = block(x, told)
        return x


def _blocks(channels: int, count: int, tasks: int) -> Blocks:
    return Blocks(Block(channels, tasks) for _ in range(count))


class Restorer(nn.Module):
    """A NAFNet-like U-Net.

    Args:
        width: channels of the first level.
        tasks: which it can be told.
    """

    def __init__(self, width: int = 32, tasks: Sequence[str] = ()) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        folded = 3 * FOLD**2
        self.enter = nn.Sequential(nn.PixelUnshuffle(FOLD), nn.Conv2d(folded, width, 3, padding=1))
        self.leave = nn.Sequential(nn.Conv2d(width, folded, 3, padding=1), nn.PixelShuffle(FOLD))
        channels = [width << level for level in range(len(ENCODER) + 1)]
        self.encoders = nn.ModuleList(_blocks(wide, count, len(tasks)) for wide, count in zip(channels, ENCODER, strict=False))
        self.downs = nn.ModuleList(nn.Conv2d(wide, 2 * wide, 2, stride=2) for wide in channels[:-1])
        self.middle = _blocks(channels[-1], MIDDLE, len(tasks))
        self.ups = nn.ModuleList(nn.Sequential(nn.Conv2d(wide, 2 * wide, 1, bias=False), nn.PixelShuffle(2)) for wide in channels[:0:-1])
        self.decoders = nn.ModuleList(_blocks(wide, count, len(tasks)) for wide, count in zip(channels[-2::-1], DECODER, strict=True))
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)  # no correction at first: minutes are too short to unlearn a random one

    def forward(self, degraded: Tensor, told: Tensor | None = None) -> Tensor:
        """Return the restored picture: Bx3xHxW float, about 0..1, as what came in; H and W multiples of MULTIPLE.

        Args:
            degraded: Bx3xHxW.
            told: BxT, 1 at the task of each picture (`one_hot`), zeros where it is not known; None: of no picture.
        """
        x = self.enter(degraded)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x, told)
            skips.append(x)
            x = down(x)
        x = self.middle(x, told)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            x = decoder(up(x) + skips.pop(), told)
        correction: Tensor = self.leave(x)
        return degraded + correction


def one_hot(task: str | None, tasks: Sequence[str]) -> Tensor:
    """Return what a network is told of a picture: T float; zeros for a task that it does not know."""
    return torch.tensor([float(task == known) for known in tasks])


def make(width: int, seed: int, tasks: Sequence[str] = ()) -> Restorer:
    """Return a network whose first weights depend on the seed alone; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Restorer(width, tasks)


def weights_of(network: nn.Module) -> int:
    """Return how many numbers the network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def published(network: Restorer, task: str | None = None) -> dict[str, Tensor]:
    """Return the weights by the names of the paper's own code: those of a NAFNet that takes and gives twelve channels.

    Whatever opens NAFNets opens this one, and is to fold every 2x2 px into twelve channels before it and unfold after it.

    Args:
        network: of any number of tasks.
        task: that the network is told once and for all, in its biases; None or one that it does not know: told nothing.
    """
    named, weights = {}, network.state_dict()
    for place in [name for name in weights if name.endswith(".told")]:
        row = one_hot(task, network.tasks).to(weights[place].device) @ weights.pop(place)
        bias = place.replace("told", "widen.bias")
        weights[bias] = weights[bias] + row
    for name, value in weights.items():
        words = name.replace("enter.1", PUBLISHED["enter.1"]).replace("leave.0", PUBLISHED["leave.0"]).split(".")
        named[".".join(PUBLISHED.get(word, word) for word in words)] = value.detach().cpu().contiguous()
    return named
