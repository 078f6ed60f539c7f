"""The report of a finished run shows what is in the manifest, and pictures that can be opened."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from manifests.commit import read_table, write_table
from manifests.schema import PAIR
from pipelines import pace
from pipelines.pictures import charts, choice, gated, report


def picture(path: Path) -> np.ndarray:
    """Open a picture of the report."""
    pixels = cv2.imread(str(path))
    assert pixels is not None, path
    return pixels


def test_build_leaves_a_report_of_the_whole_run(finished):
    """After a build, the numbers of the report are those of the manifest, by task, split and stratum."""
    told = json.loads((finished.report / "report.json").read_text())
    table = read_table(finished.manifest, ["task", "split", "stratum", "verdict"]).to_pylist()
    counted = Counter((row["task"], row["split"], row["stratum"]) for row in table if row["verdict"] == "keep")
    shown = {
        (task, split, at + 1): count for task, splits in told["counts"].items() for split, strata in splits.items() for at, count in enumerate(strata) if count
    }
    assert shown == dict(counted)
    assert told["planned"] == len(table)
    assert told["kept"] == counted.total()


def test_every_picture_on_the_page_exists(finished):
    """The page names pictures that open, and shows every task's sheet, parameters and the extremes."""
    page = (finished.report / "index.html").read_text()
    named = re.findall(r'src="([^"]+)"', page)
    assert set(named) == set(json.loads((finished.report / "report.json").read_text())["made"])
    assert {"counts.png", "severity.png", "scores.png", "worst.png", "throughput.png", "sheets/noise.png", "parameters/noise.png"} <= set(named)
    for name in named:
        assert picture(finished.report / name).shape[1] > 100


def test_the_page_runs_nothing_and_escapes_what_comes_from_outside(scratch):
    """A recipe that holds markup is shown as text, under a policy that allows no script."""
    (scratch.folder / "recipe.yaml").write_text("name: x  # <script>alert(1)</script>")
    page = report.write(scratch).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_a_second_build_draws_nothing_again(scratch):
    """The report of an unchanged manifest is left as it is; that of a changed one is drawn anew."""
    page = scratch.report / "index.html"
    page.write_text("mine")
    assert report.refresh(scratch).read_text() == "mine"
    record = json.loads(scratch.manifest_record.read_text())
    scratch.manifest_record.write_text(json.dumps({**record, "sha256": "another"}))
    assert report.refresh(scratch).read_text() != "mine"


def test_a_run_that_kept_nothing_has_a_report_too(scratch):
    """When a limit takes every pair, the report says so instead of failing."""
    from dataclasses import replace

    from pipelines import select

    limits = scratch.recipe.select.model_copy(update={"limits": {"psnr_db": {"default": (0.0, 1.0)}}})
    none = replace(scratch, recipe=scratch.recipe.model_copy(update={"select": limits}))
    select.select(none)
    page = report.write(none).read_text()
    assert "0 pairs kept" in page
    assert "above_limit: psnr_db" in page
    assert "borderline.png" in page
    assert "thrown.png" in page


def table_of(values: list[float | None], *, verdict: str = "keep") -> pa.Table:
    """Rows with a score `x`, each of a photo of its own."""
    count = len(values)
    columns = {
        "pair_id": [f"{at:02d}" for at in range(count)],
        "task": ["noise"] * count,
        "stratum": [1] * count,
        "verdict": [verdict] * count,
        "photo_sha256": [f"photo {at % 3}" for at in range(count)],
        "scores": pa.array([[("x", value)] if value is not None else [] for value in values], pa.map_(pa.string(), pa.float64())),
    }
    return pa.table(columns)


def test_the_borderline_is_what_is_nearest_to_the_limit():
    """On both sides of a limit stand the nearest pairs, nearest first."""
    lines = choice.borderline(table_of([1.0, 9.0, 4.0, 6.0, 5.0, None]), {"x": {"default": (5.0, float("inf"))}}, 2)
    assert [line.pair_ids for line in lines] == [["02", "00"], ["04", "03"]]


def test_every_reason_shows_what_it_threw_away():
    """A line for each limit and reason, with its count: of a limit from the nearest to the farthest, of others a few in a fixed order."""
    count = 20
    best, stays = ("best", "not_the_best", "1; 2"), (None, None, None)
    fell = [("select", "above_limit", f"x {at:.1f} outside [0, 9]") if at > 9 else best if at > 6 else stays for at in range(count)]
    table = table_of([float(at) for at in range(count)])
    told = dict(zip(("decided_by", "reason", "detail"), zip(*fell, strict=True), strict=True))
    for name, values in {**told, "verdict": ["reject" if by else "keep" for by, _, _ in fell]}.items():
        table = table.drop_columns([name] if name in table.column_names else []).append_column(name, pa.array(values, pa.string()))
    lines = choice.thrown(table, 3)
    assert [(line.why, line.score, line.pair_ids) for line in lines] == [
        ("select: above_limit: x (10 pairs)", "x", ["10", "14", "19"]),
        ("best: not_the_best (3 pairs)", "psnr_db", ["07", "08", "09"]),
    ]
    below = table.set_column(table.schema.get_field_index("reason"), "reason", pa.array(["below_limit" if by else None for by, _, _ in fell]))
    assert choice.thrown(below, 3)[-1].pair_ids[0] == "19"


def test_what_the_gate_refused_is_shown_as_photos(scratch):
    """A line for every reason, as many photos as there are, what was seen below them; a photo that is gone is left out."""
    rows = read_table(scratch.manifest).to_pylist()
    photos = {row["photo_sha256"]: row for row in rows}
    none = ("not_degraded", "shows none")
    told = zip(sorted(photos), [none, ("above_limit", "watermark.photo 0.9 outside"), none, ("grey", "gone")], strict=False)
    refused = [{**photos[sha256], "decided_by": "plan", "verdict": "reject", "reason": reason, "detail": detail} for sha256, (reason, detail) in told]
    refused[-1]["photo_uri"] = "/nowhere.png"
    write_table(scratch.manifest, pa.Table.from_pylist([*rows, *refused], PAIR))
    lines = gated.rows(scratch, 5, 64)
    assert [[cell.caption for cell in line[1:]] for line in lines] == [["watermark.photo 0.9 outside"], ["shows none", "shows none"]]
    assert all(max(cell.picture.shape[:2]) == 64 for line in lines for cell in line[1:])


def test_a_value_that_many_share_is_no_extreme():
    """Where most pairs have the lowest value, only the highest are shown."""
    lines = choice.borderline(table_of([0.0, 0.0, 0.0, 7.0, 8.0]), {}, 2)
    assert [(line.why, line.pair_ids) for line in lines] == [("highest x", ["04", "03"])]


def test_examples_come_from_as_many_photos_as_there_are():
    """Three examples of a stratum are of three photos."""
    table = table_of([1.0] * 9)
    ids = choice.by_stratum(table, 3, Counter())[1]
    assert len({int(name) % 3 for name in ids}) == 3


def test_rates_are_items_over_time(tmp_path):
    """Ten items in each of two seconds of one session, and forty in the second of the next, are 10, 10 and 40 a second."""
    log = tmp_path / "pace.jsonl"
    lines = [{"begin": True}, {"at_s": 1.0, "items": 10}, {"at_s": 2.0, "items": 10}, {"begin": True}, {"at_s": 1.0, "items": 40}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at_s": 9')
    told = pace.read(log, 90)
    assert told is not None
    assert told.rates == pytest.approx([10.0, 10.0, 40.0])
    assert (told.items, told.sessions) == (60, 2)
    assert pace.read(tmp_path / "none.jsonl", 90) is None


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0], [3, 3, 4], ["a", "b", "a"], [True, False], list(np.geomspace(1e-3, 1e4, 500)), ["x" * 90]])
def test_any_values_make_a_panel(values):
    """Nothing, one number, words, truths, a wide span and long names are all drawn at one size."""
    assert charts.panel("values", values, "px").shape == (charts.HEIGHT, charts.WIDTH, 3)


def test_a_histogram_loses_nothing():
    """Bins cover every value, whatever their spread."""
    for numbers in (np.geomspace(0.1, 1000, 777), np.linspace(-5, 5, 777), np.full(777, 2.5)):
        assert np.histogram(numbers, charts.bins(numbers))[0].sum() == 777


def test_severity_rises_to_the_right_also_where_the_unit_falls():
    """Thick haze, which is little visibility, stands in the last stratum's shade."""
    strata = (30000.0, 9000.0, 2500.0, 800.0, 220.0, 40.0)
    shades = {tuple(pixel) for pixel in charts.severity("haze", np.full(9, 50.0), "m", strata).reshape(-1, 3)}
    assert charts.SHADES[-1] in shades
    assert charts.SHADES[0] not in shades
