"""How far a restored picture is from the clean one: the L1 that is trained, PSNR, SSIM, and LPIPS where it is installed.

L1, PSNR and SSIM (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004: Gaussian window of sigma 1.5, K = 0.01, 0.03) are taken over
R, G and B; LPIPS (Zhang et al., CVPR 2018) is the authors' package with AlexNet, whose weights must be on the machine already.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from degrade.contract import Srgb

SAME_DB = 100.0  # two equal pictures
Distance = Callable[[Srgb, Srgb], float]
ALEXNET = "alexnet-owt-7be5be79.pth"


def l1(one: Srgb, other: Srgb) -> float:
    """Return the mean absolute difference in levels of 255: the loss of the training."""
    return float(np.mean(cv2.absdiff(one, other)))


def psnr_db(one: Srgb, other: Srgb) -> float:
    """Return the peak signal-to-noise ratio in dB, at most SAME_DB."""
    return min(float(cv2.PSNR(one, other)), SAME_DB)


def ssim(one: Srgb, other: Srgb) -> float:
    """Return the mean structural similarity, -1..1, of two HxWx3 uint8 pictures of at least 11 px."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    variance_x, variance_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    level = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float(np.mean((level * structure)[5:-5, 5:-5]))


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    blurred: NDArray[np.float64] = cv2.GaussianBlur(values, (11, 11), 1.5)
    return blurred


def why_no_lpips() -> str | None:
    """Return what is missing for LPIPS, and how to get it; None where it can be measured."""
    if importlib.util.find_spec("lpips") is None:
        return "LPIPS is left out: pip install lpips"
    weights = Path(torch.hub.get_dir()) / "checkpoints" / ALEXNET
    if not weights.exists():
        return f"LPIPS is left out: put torchvision's {ALEXNET} to {weights}; nothing is downloaded here"
    return None


def lpips(device: str) -> Distance:
    """Return the LPIPS distance of two pictures, 0 for equal ones."""
    network = importlib.import_module("lpips").LPIPS(net="alex", verbose=False).to(device).eval()

    def distance(one: Srgb, other: Srgb) -> float:
        with torch.inference_mode():
            pair = [torch.from_numpy(np.ascontiguousarray(side)).permute(2, 0, 1)[None].to(device) / 127.5 - 1.0 for side in (one, other)]
            return float(network(*pair).item())

    return distance


def all_scores(device: str) -> dict[str, Distance]:
    """Return what can be measured on this machine, by name."""
    found: dict[str, Distance] = {"l1": l1, "psnr_db": psnr_db, "ssim": ssim}
    if why_no_lpips() is None:
        found["lpips"] = lpips(device)
    return found
