"""Scores by the hundred: as columns, told with unit and limit, and fetched one at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from degrade.errors import RunError
from manifests.commit import read_table
from manifests.page.row import Parameter
from manifests.page.run import About, InspectedRun
from manifests.page.scored import about, catalogue, scored

MAP = pa.map_(pa.string(), pa.float64())
ROWS = [[("clip.gain", 0.5), ("psnr_db", 20.0)], [], None, [("psnr_db", 30.0)], [("alignment.shift_px", -1.0)]]
MEASURES = {"clip.p.haze": Parameter("p", "it shows haze"), "clip.gain": Parameter("p", "claim less clean claim")}


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_map_becomes_columns(cut):
    """Each score of each pair stands in its place, NaN elsewhere, whatever the chunks and wherever they begin."""
    column = pa.chunked_array([pa.array([[("cut.off", 1.0)]] * 2 + ROWS[:cut], MAP)[2:], pa.array(ROWS[cut:], MAP)])
    found = scored(column)
    assert list(found.of("psnr_db")) == pytest.approx([20.0, np.nan, np.nan, 30.0, np.nan], nan_ok=True)
    assert [found.row(at) for at in range(5)] == [sorted(row or []) for row in ROWS]


def test_a_place_among_peers_is_told_where_there_are_some():
    """Of eleven pairs, ten lie below the best; a score that few have, and a pair that has none, are no comparison."""
    rows = [[("psnr_db", float(at)), *([("rare", 1.0)] if at < 9 else [])] for at in range(11)]
    found = scored(pa.chunked_array([pa.array([*rows, [("psnr_db", 99.0)]], MAP)]))
    peers = np.arange(12) < 11
    assert found.below(10, peers) == {"psnr_db": pytest.approx(10 / 11)}


def test_scores_are_listed_by_scorer_as_announced():
    """Rendering's own come first, then scorers, each in the order of its announcement; what nobody announced is told by its name."""
    listed = catalogue(["clip.gain", "clip.p.haze", "alignment.shift_px", "psnr_db"], MEASURES, {"clip.gain": {"default": (0.1, 1.0)}})
    assert [one["name"] for one in listed] == ["psnr_db", "alignment.shift_px", "clip.p.haze", "clip.gain"]
    assert listed[3]["limits"] == {"default": (0.1, 1.0)}
    assert about("alignment.shift_px", {}) == {"name": "alignment.shift_px", "scorer": "alignment", "title": "shift", "unit": "px", "meaning": ""}
    assert about("clip.p.haze", MEASURES)["meaning"] == "it shows haze"


def test_a_pair_tells_its_limits(finished):
    """A score outside the limit of its task is marked; the survival table counts it."""
    rows = [row for row in read_table(finished.manifest).to_pylist() if row["clean_sha256"]]
    row = min(rows, key=lambda row: dict(row["scores"])["psnr_db"])
    worst = dict(row["scores"])["psnr_db"]
    run = InspectedRun(finished.folder, About("small", limits={"psnr_db": {"default": (0.0, 99.0), row["task"]: (worst + 0.5, float("inf"))}}))
    (told,) = [score for score in run.story(row["pair_id"])["scores"] if score["name"] == "psnr_db"]
    assert (told["outside"], told["limit"]) == (True, (worst + 0.5, float("inf")))
    assert told["value"] == pytest.approx(worst)
    assert {fall["why"]: fall["alone"] for fall in run.scores()["survival"]}["below_limit: psnr_db"] >= 1


def test_an_unknown_score_names_the_nearest(finished):
    """A mistyped address is answered with what there is."""
    with pytest.raises(RunError, match="psnr_db"):
        InspectedRun(finished.folder, About("small")).score("psnr")
