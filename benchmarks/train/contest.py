"""The contest: one network per run, the same start, the same steps, judged on the same unseen pictures."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import save as save_tensors
from torch import Tensor

from benchmarks.train import network, scores
from benchmarks.train.crops import Crops
from benchmarks.train.learn import Budget, Learned, learn
from benchmarks.train.restore import restore
from benchmarks.train.table import IDENTITY, Judged
from benchmarks.train.unseen import Unseen
from degrade.contract import Srgb
from manifests import PairDataset, commit

PASSES = 80  # crops of a pair: from more, a few photos are learnt by heart, and darker ones than any of them are lifted too far
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
    told: tuple[str, ...] = ()  # what the networks are told of; none where there is one task alone


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
    restorer = network.make(settings.width, settings.seed, settings.told)
    tell(f"{run.name}: {network.weights_of(restorer):,} weights, {len(pairs)} pairs, {settings.device}")
    crops = Crops(pairs, settings.crop, settings.batch, settings.seed, settings.told)
    enough = budget._replace(most_steps=math.ceil(PASSES * len(pairs) / settings.batch))
    learned = learn(restorer, crops, enough, settings.device, tell)
    if learned.steps == enough.most_steps and budget.steps is None:
        tell(f"{learned.seconds / 60:.1f} minutes were enough: {PASSES} crops of every pair")
    return restorer, learned


def for_training(run: Path, split: str, photos: list[str], tasks: Sequence[str] = ()) -> PairDataset:
    """Return the pairs of all other splits, of all tasks or of some, without those of the given photos."""
    return PairDataset(run, tasks=list(tasks) or None, filters=[("split", "!=", split), ("photo_sha256", "not in", photos)])


def judge(networks: dict[str, network.Restorer], pictures: Iterable[Unseen], device: str) -> tuple[list[Judged], list[Shown]]:
    """Return every picture's scores by contender, the identity first, and a few pictures to look at.

    The networks are told the tasks of pairs of a run, and nothing of real pairs.
    """
    distances = scores.all_scores(device)
    judged: list[Judged] = []
    shown: dict[tuple[str, str], list[Shown]] = {}
    for unseen in pictures:
        made = {IDENTITY: unseen.degraded, **{name: restore(_told(net, unseen.group, device), unseen.degraded, device) for name, net in networks.items()}}
        for by, picture in made.items():
            told = {name: distance(picture, unseen.clean) for name, distance in distances.items()}
            judged.append(Judged(unseen.test, unseen.group, unseen.name, unseen.photo, by, told))
        kept = shown.setdefault((unseen.test, unseen.group), [])
        if len(kept) < SHOWN:
            kept.append(Shown(unseen, made))
    return judged, [one for kept in shown.values() for one in kept]


def _told(restorer: network.Restorer, task: str, device: str) -> Callable[[Tensor], Tensor]:
    return functools.partial(restorer, told=network.one_hot(task, restorer.tasks)[None].to(device))


def save(restorer: network.Restorer, path: Path) -> None:
    """Write the weights as plain arrays, which no reader has to trust, by the names under which others know them.

    The file of that name is told nothing; a network of several tasks has one more for each, `run.noise.safetensors`.
    """
    for task in (None, *restorer.tasks):
        place = path.with_name(f"{path.stem}.{task}{path.suffix}") if task else path
        commit.write_bytes(place, save_tensors(network.published(restorer, task), metadata={"format": "pt"}))
