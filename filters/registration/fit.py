"""One map for the whole picture, from what its tiles say: coarse to fine, robustly, with an error of its own.

    minimise  sum of rho(e_i),  e_i^2 = (d_i - M_i p)' (C_i + m^2)^-1 (d_i - M_i p),   M_i p a similarity

by Gauss-Newton with Cauchy's weights: tiles that moved otherwise (a repainted thing, a reflection, rain) lose their say. C_i is
what the tile knows, m what a similarity leaves open. The picture is warped by the answer and asked again.

A long exposure blurs along a path, and fine detail follows the place where the hand dwelt, not the middle of the path: up
to 5 px off at a blur of 24. So each finer level is believed as far as the degradation left its detail: by the contrast of what
both sides share, degraded over clean, relative to the coarser levels. Noise does not enter that ratio, blur does.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map
from filters.registration import search, tiles
from filters.registration.similarity import Similarity, similarity
from filters.registration.structure import Level
from filters.registration.tiles import Flags, Floats, Moves, Template

ROUNDS = 4  # of a level; the coarsest takes one more
STILL_PX = 0.02  # a step below it ends the rounds
FARTHEST_PX = 3.0  # that a tile may say in one round
UNMODELLED_PX = 0.15  # what a tile may differ by for reasons of its own
FEWEST_TILES = 6
CAUCHY = 4.0  # e^2 at which a tile has half a say
REACH_PX = 100.0  # at which the four unknowns of a similarity weigh alike
ASTRAY_PX = 2.0  # px of a level by which blur that leaves half of its contrast may lead astray


class Fit(NamedTuple):
    """A map from the clean side to the degraded one, at one level."""

    level: int  # 0 is the finest
    found: Similarity  # px of the level
    error_px: float  # standard deviation of the shift, px of the level
    moves: Moves  # what the tiles still say
    response: Floats  # contrast of the degraded side over the clean side's, of the structure that both show, by tile


def fit(clean: list[Level], degraded: list[Level]) -> list[Fit]:
    """Return the maps from the clean side to the degraded one, coarsest level first; levels that say nothing are left out.

    Args:
        clean: from `structure.pyramid`.
        degraded: the same, of equal size.
    """
    fits: list[Fit] = []
    top = len(clean) - 1
    for level in range(top, -1, -1):
        sides = clean[level], degraded[level]
        if fits:
            starts = [fits[-1].found.resized(2)]
        elif level >= top - 1:  # what shows too little at the coarsest level may show more at the next
            starts = search.candidates(sides[0].structure, sides[1].structure)
        else:
            break
        template = tiles.template(sides[0].structure)
        begun = [_fit(level, template, *sides, start, ROUNDS if fits else ROUNDS + 1) for start in starts]
        fits += sorted((one for one in begun if one is not None), key=_agreement)[-1:]
    return fits


def best(fits: list[Fit]) -> tuple[Fit, float]:
    """Return the fit to believe, and how much of the coarsest level's contrast the finest has left, at most 1."""
    chosen, least, left = fits[0], fits[0].error_px * 2.0 ** fits[0].level, 1.0
    for coarse, fine in itertools.pairwise(fits):
        left = min(left * _left(coarse, fine), 1.0)
        doubt = math.hypot(fine.error_px, min(ASTRAY_PX * (1 / max(left, 0.05) - 1) ** 2, FARTHEST_PX)) * 2.0**fine.level
        if doubt < least:
            chosen, least = fine, doubt
    return chosen, left


def _left(coarse: Fit, fine: Fit) -> float:
    """Return the median over tiles of the contrast that a level has left, of what the next coarser one has."""
    rows, columns = fine.response.shape
    before = cv2.resize(np.where(coarse.moves.heard, coarse.response, 0.0), (columns, rows), interpolation=cv2.INTER_LINEAR)
    asked = fine.moves.inside & fine.moves.textured & (before > 0)
    return float(np.median(fine.response[asked] / before[asked])) if asked.any() else 1.0


def _agreement(one: Fit) -> float:
    return float(one.moves.likeness[one.moves.heard].sum())


def _fit(level: int, template: Template, clean: Level, degraded: Level, start: Similarity, rounds: int) -> Fit | None:
    found = start
    for turn in range(rounds):
        moves = tiles.moves(template, _seen(degraded.structure, found), covered(template, found))
        answer = _solved(template, moves)
        if answer is None:
            return None
        step, error_px = answer
        found = found.after(step)
        if turn and step.reach_px(*template.structure.shape[::-1]) < STILL_PX:
            break
    return Fit(level, found, error_px, moves, _response(clean, degraded, found, moves))


def _seen(other: Map, found: Similarity) -> Map:
    """Return the degraded side on the clean side's grid; linearly, for OpenCV's cubic kernel pulls by 0.05 px towards whole ones."""
    height, width = other.shape
    return cv2.warpAffine(other, found.matrix(width, height), (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT)


def covered(template: Template, found: Similarity) -> Flags:
    """Return which tiles of the clean side lie wholly in the degraded one, RxC."""
    height, width = template.structure.shape
    matrix = found.matrix(width, height)
    inside = np.ones(template.x.shape, bool)
    for across in (-0.5, 0.5):
        for down in (-0.5, 0.5):
            x, y = template.x + across * template.side, template.y + down * template.side
            u = matrix[0, 0] * x + matrix[0, 1] * y + found.shift_x_px
            v = matrix[1, 0] * x + matrix[1, 1] * y + found.shift_y_px
            inside &= (np.abs(u) <= width / 2 + 0.5) & (np.abs(v) <= height / 2 + 0.5)
    return inside


def _solved(template: Template, moves: Moves) -> tuple[Similarity, float] | None:
    """Return the step that the tiles agree on and the standard deviation of its shift, px; None if too few are heard."""
    heard = moves.heard
    if heard.sum() < FEWEST_TILES:
        return None
    x, y, ahead, below = (part[heard] for part in (template.x, template.y, moves.x, moves.y))
    shorter = np.minimum(1.0, FARTHEST_PX / np.maximum(np.hypot(ahead, below), 1e-9))
    said = np.stack([ahead * shorter, below * shorter], 1)
    model = _similarities(x, y)
    trust = _inverse(moves, heard)
    weight, answer = np.ones(len(x)), np.zeros(4)
    for _ in range(5):
        weighted = np.einsum("nij,njk->nik", trust * weight[:, None, None], model)
        normal = np.einsum("nij,nik->jk", model, weighted) + 1e-6 * np.eye(4)
        answer = np.linalg.solve(normal, np.einsum("nij,ni->j", weighted, said))
        left = said - model @ answer
        squared = np.einsum("ni,nij,nj->n", left, trust, left)
        weight = 1 / (1 + squared / CAUCHY)
    spread = max(1.0, float(np.average(squared, weights=weight)) / 2)
    covariance = np.linalg.inv(normal) * spread
    turn = complex(1 + answer[2] / REACH_PX, answer[3] / REACH_PX)
    return similarity(turn, complex(answer[0], answer[1])), math.sqrt(covariance[0, 0] + covariance[1, 1])


def _similarities(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Return the moves of the four unknowns, Nx2x4: shift right, shift down, growth and turn, these two per `REACH_PX`."""
    one, none = np.ones_like(x), np.zeros_like(x)
    return np.stack([np.stack([one, none, x / REACH_PX, -y / REACH_PX], 1), np.stack([none, one, y / REACH_PX, x / REACH_PX], 1)], 1)


def _inverse(moves: Moves, heard: Flags) -> NDArray[np.float64]:
    """Return the inverse covariances of the tiles that are heard, Nx2x2."""
    xx, yy, xy = moves.xx[heard] + UNMODELLED_PX**2, moves.yy[heard] + UNMODELLED_PX**2, moves.xy[heard]
    inverse = np.stack([np.stack([yy, -xy], 1), np.stack([-xy, xx], 1)], 1)
    return np.asarray(inverse / (xx * yy - xy * xy)[:, None, None])


def _response(clean: Level, degraded: Level, found: Similarity, moves: Moves) -> Floats:
    """Return how much contrast of the clean side's structure the degraded side shows, tile by tile."""
    rows, columns = moves.likeness.shape
    height, width = clean.contrast.shape
    cells = found.resized(width / clean.structure.shape[1]).matrix(width, height)
    there = cv2.warpAffine(degraded.contrast, cells, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    ratio = cv2.resize(cv2.divide(there, clean.contrast), (columns, rows), interpolation=cv2.INTER_AREA)
    return ratio * moves.response
