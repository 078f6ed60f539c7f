"""The contest: one network per run, the same start, the same steps, judged on the same unseen pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import save_file
from torch import nn

from benchmarks.train import network, scores
from benchmarks.train.crops import Crops
from benchmarks.train.learn import Budget, Learned, learn
from benchmarks.train.restore import restore
from benchmarks.train.table import IDENTITY, Judged
from benchmarks.train.unseen import Unseen
from degrade.contract import Srgb
from manifests import PairDataset

SHOWN = 4  # pictures of each group that are kept for the sheet


class Settings(NamedTuple):
    """What both sides of a contest share."""

    crop: int  # px
    batch: int
    width: int  # of the network
    seed: int
    split: str  # that is never trained on
    device: str
    tasks: tuple[str, ...] = ()  # that are trained on; none: all of them


class Shown(NamedTuple):
    """A picture for the sheet: what it was, and what became of it, by contender."""

    unseen: Unseen
    restored: dict[str, Srgb]


def train(run: Path, photos: list[str], budget: Budget, settings: Settings, tell: Callable[[str], None] = print) -> tuple[network.Restorer, Learned]:
    """Train a network on a run.

    Args:
        run: the run folder.
        photos: sha256 of photos that must not be trained on, though this run may have them in another split.
        budget: minutes or steps.
        settings: of the contest.
        tell: gets lines for people.
    """
    pairs = for_training(run, settings.split, photos, settings.tasks)
    restorer = network.make(settings.width, settings.seed)
    tell(f"{run.name}: {network.weights_of(restorer):,} weights, {len(pairs)} pairs, {settings.device}")
    crops = Crops(pairs, settings.crop, settings.batch, settings.seed)
    return restorer, learn(restorer, crops, budget, settings.device, tell)


def for_training(run: Path, split: str, photos: list[str], tasks: Sequence[str] = ()) -> PairDataset:
    """Return the pairs of all other splits, of all tasks or of some, without those of the given photos."""
    return PairDataset(run, tasks=list(tasks) or None, filters=[("split", "!=", split), ("photo_sha256", "not in", photos)])


def judge(networks: dict[str, nn.Module], pictures: Iterable[Unseen], device: str) -> tuple[list[Judged], list[Shown]]:
    """Return every picture's scores by contender, the identity first, and a few pictures to look at."""
    distances = scores.all_scores(device)
    judged: list[Judged] = []
    shown: dict[tuple[str, str], list[Shown]] = {}
    for unseen in pictures:
        made = {IDENTITY: unseen.degraded, **{name: restore(net, unseen.degraded, device) for name, net in networks.items()}}
        for by, picture in made.items():
            told = {name: distance(picture, unseen.clean) for name, distance in distances.items()}
            judged.append(Judged(unseen.test, unseen.group, unseen.name, by, told))
        kept = shown.setdefault((unseen.test, unseen.group), [])
        if len(kept) < SHOWN:
            kept.append(Shown(unseen, made))
    return judged, [one for kept in shown.values() for one in kept]


def save(restorer: network.Restorer, path: Path) -> None:
    """Write the weights as plain arrays, which no reader has to trust, by the names under which others know them."""
    save_file(network.published(restorer), path, metadata={"format": "pt"})
