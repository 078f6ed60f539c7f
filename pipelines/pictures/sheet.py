"""Pictures of pictures: contact sheets with captions, for people."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from degrade.contract import Srgb

PAPER, INK = (18, 18, 20), (226, 226, 230)
GAP, LINE = 8, 18


class Cell(NamedTuple):
    """One picture of a sheet."""

    picture: Srgb
    caption: str = ""


@functools.cache
def font(size: int = 13) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the face that all our pictures are lettered in."""
    return ImageFont.load_default(size)


def sheet(rows: Sequence[Sequence[Cell]], title: str = "") -> Srgb:
    """Return rows of pictures on dark paper; cells of a column are as wide as its widest picture."""
    columns = max(len(row) for row in rows)
    widths = [max((row[at].picture.shape[1] for row in rows if at < len(row)), default=0) for at in range(columns)]
    heights = [max(cell.picture.shape[0] for cell in row) + LINE * any(cell.caption for cell in row) for row in rows]
    top = GAP + (LINE + GAP if title else 0)
    page = Image.new("RGB", (sum(widths) + GAP * (columns + 1), top + sum(heights) + GAP * len(rows)), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((GAP, GAP), title, INK, font())
    y = top
    for row, height in zip(rows, heights, strict=True):
        x = GAP
        for cell, width in zip(row, widths, strict=False):
            page.paste(Image.fromarray(cell.picture), (x, y))
            pen.text((x, y + height - LINE + 2), fitting(pen, cell.caption, width), INK, font())
            x += width + GAP
        y += height + GAP
    return np.asarray(page)


def fitting(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """Return as much of a caption as fits under its picture."""
    while text and pen.textlength(text, font()) > width:
        text = text[:-1]
    return text


def label(words: str, width: int, height: int) -> Srgb:
    """Return words on dark paper, broken where they must be; they stand beside pictures."""
    page = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(page)
    lines = [""]
    for word in words.replace("_", "_\u200b").replace(".", ".\u200b").replace(" ", " \u200b").split("\u200b"):
        if lines[-1] and pen.textlength(lines[-1] + word, font()) > width:
            lines.append("")
        lines[-1] += word
    pen.multiline_text((0, 0), "\n".join(lines), INK, font())
    return np.asarray(page)


def fitted(picture: Srgb, side: int) -> Srgb:
    """Return a picture whose long side is at most `side` px."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def detail(picture: Srgb, side: int, centre: tuple[float, float] = (0.5, 0.5)) -> Srgb:
    """Return a square of the picture's own pixels around a place given in fractions of its sides."""
    height, width = picture.shape[:2]
    side = min(side, height, width)
    y, x = round(centre[1] * (height - side)), round(centre[0] * (width - side))
    return np.ascontiguousarray(picture[y : y + side, x : x + side])
