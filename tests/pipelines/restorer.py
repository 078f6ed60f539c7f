"""A program that restores folders, as a user might bring one: it smooths or brightens, and moves what it made by two pixels."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np


def main(source: Path, target: Path, orders: Path) -> None:
    """Restore every photo that is ordered, but those that are nearly black."""
    for line in orders.read_text().splitlines():
        order = json.loads(line)
        photo = cv2.imread(str(source / order["file"]))
        if photo.mean() < 4:
            continue
        if order["task"] == "noise":
            restored = cv2.bilateralFilter(cv2.medianBlur(photo, 3), 7, 30 + order["seed"] % 60, 3)
        else:
            restored = np.clip(photo.astype(np.float32) * (90 / photo.mean()), 0, 255).astype(np.uint8)
        cv2.imwrite(str(target / f"{order['key']}.png"), np.roll(restored, (2, -1), (0, 1)))


main(*map(Path, sys.argv[1:4]))
