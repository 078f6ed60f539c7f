"""Training: AdamW on the mean absolute difference (L1); a warm-up, then half a cosine down to nothing.

    rate = peak * min(1, step / WARM) * (1 + cos(pi * done)) / 2

The loss is that of Restormer (Zamir et al., CVPR 2022). NAFNet's own, the PSNR of every crop, has gradients that grow without
limit as a crop gets better: over tasks from 20 to 45 dB the mildest crops drown all others, and minutes teach nothing.
`done` is the share of the steps, or of the minutes, that lies behind. A training of so many steps gives the same weights
again on the same machine; one of so many minutes ends in time, and its steps are told, so that it can be repeated by them.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import nn

from benchmarks.train.crops import Batch
from benchmarks.train.network import Restorer

WARM = 20  # steps
PEAK = 2e-3  # learning rate
CLIP = 0.1  # of the gradient's norm
SAY_S = 15.0


class Budget(NamedTuple):
    """How long to train: so many steps, or so many minutes, of which a small run may need less."""

    minutes: float | None = None
    steps: int | None = None
    most_steps: int | None = None  # that the minutes are used for

    def done(self, step: int, seconds: float) -> float:
        """Return the share of a training that lies behind."""
        if self.steps is not None:
            return step / self.steps if self.steps else 1.0
        by_steps = step / self.most_steps if self.most_steps else 0.0
        return max(by_steps, seconds / (60.0 * self.minutes) if self.minutes else 1.0)


class Learned(NamedTuple):
    """What came of a training."""

    steps: int
    seconds: float
    loss: list[float]  # of each step, in levels of 255


def learn(network: Restorer, batches: Iterable[Batch], budget: Budget, device: str, tell: Callable[[str], None] = print) -> Learned:
    """Train a network in place.

    Args:
        network: of the tasks that the batches tell.
        batches: at least as many as there are steps.
        budget: minutes or steps.
        device: of torch, `cpu` or `cuda`.
        tell: gets a line now and then.
    """
    network.to(device).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), PEAK, betas=(0.9, 0.99), weight_decay=0.0)
    begin = said = time.monotonic()
    reached: list[float] = []
    for step, batch in enumerate(batches):
        done = budget.done(step, time.monotonic() - begin)
        if done >= 1.0:
            break
        reached.append(_step(network, optimiser, batch, PEAK * min(1.0, (step + 1) / WARM) * 0.5 * (1.0 + math.cos(math.pi * done)), device))
        if time.monotonic() - said > SAY_S:
            said = time.monotonic()
            tell(f"step {step + 1}, {100 * done:.0f} %, L1 {statistics.fmean(reached[-200:]):.2f}")
    network.eval()
    return Learned(len(reached), time.monotonic() - begin, reached)


def _step(network: Restorer, optimiser: torch.optim.Optimizer, batch: Batch, rate: float, device: str) -> float:
    degraded, clean = batch.sides.to(device, non_blocking=True).float().mul_(batch.light.to(device)[:, None, None, None] / 255.0)
    for group in optimiser.param_groups:
        group["lr"] = rate
    made = network(degraded.contiguous(memory_format=torch.channels_last), batch.told.to(device))
    loss = (made - clean).abs().mean()
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimiser.step()
    return 255.0 * loss.item()
