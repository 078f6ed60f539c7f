"""Training: AdamW on the PSNR of every crop, as NAFNet is trained; a warm-up, then half a cosine down to nothing.

    rate = peak * min(1, step / WARM) * (1 + cos(pi * done)) / 2

The logarithm in the PSNR lets a mildly damaged crop count as much as a ruined one, which a plain difference would not.
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
from torch import Tensor, nn

WARM = 20  # steps
PEAK = 2e-3  # learning rate
LEAST = 1e-6  # mean squared difference, 60 dB: nobody learns from less
SAY_S = 15.0


class Budget(NamedTuple):
    """How long to train: one of both."""

    minutes: float | None = None
    steps: int | None = None


class Learned(NamedTuple):
    """What came of a training."""

    steps: int
    seconds: float
    psnr_db: list[float]  # mean over the crops of each step


def learn(network: nn.Module, batches: Iterable[Tensor], budget: Budget, device: str, tell: Callable[[str], None] = print) -> Learned:
    """Train a network in place.

    Args:
        network: takes and gives Bx3xHxW float, 0..1.
        batches: 2xBx3xHxW uint8, degraded and clean, at least as many as there are steps.
        budget: minutes or steps.
        device: of torch, `cpu` or `cuda`.
        tell: gets a line now and then.
    """
    network.to(device).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), PEAK, betas=(0.9, 0.9), weight_decay=0.0)
    begin = said = time.monotonic()
    reached: list[float] = []
    for step, both in enumerate(batches):
        done = step / budget.steps if budget.steps else (time.monotonic() - begin) / (60.0 * (budget.minutes or 1.0))
        if done >= 1.0:
            break
        reached.append(_step(network, optimiser, both, PEAK * min(1.0, (step + 1) / WARM) * 0.5 * (1.0 + math.cos(math.pi * done)), device))
        if time.monotonic() - said > SAY_S:
            said = time.monotonic()
            tell(f"step {step + 1}, {100 * done:.0f} %, {statistics.fmean(reached[-50:]):.2f} dB")
    network.eval()
    return Learned(len(reached), time.monotonic() - begin, reached)


def _step(network: nn.Module, optimiser: torch.optim.Optimizer, both: Tensor, rate: float, device: str) -> float:
    degraded, clean = both.to(device, non_blocking=True).float().div_(255.0)
    for group in optimiser.param_groups:
        group["lr"] = rate
    made = network(degraded.contiguous(memory_format=torch.channels_last))
    reached = -10.0 * torch.log10((made - clean).square().mean((1, 2, 3)) + LEAST).mean()
    optimiser.zero_grad()
    torch.autograd.backward(-reached)
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return reached.item()
