"""The command, as people type it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from small_run import PAGE

from manifests.commit import read_table

ROOT = Path(__file__).resolve().parents[2]


def patina(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "pipelines", *map(str, arguments)], check=False, capture_output=True, text=True, cwd=cwd)


@pytest.fixture
def page(tmp_path):
    """The small recipe as a file."""
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**PAGE, "variants": 2}))
    return path


def test_each_verb_alone_makes_what_build_makes(tmp_path, page, photos):
    """index, plan, render, select, export one after the other; build finds nothing left to do; all exit with 0."""
    run = tmp_path / "run"
    steps = [
        ("index", page, "--out", run, "--input", photos, "--engine", "serial", "--json"),
        ("plan", run, "--preview", "--json"),
        ("render", run, "--engine", "serial", "--json"),
        ("select", run, "--json"),
        ("export", run, "--to", "imagefolder", "--json"),
        ("verify", run, "--json"),
        ("build", page, "--out", run, "--input", photos, "--engine", "serial", "--json"),
    ]
    told = []
    for step in steps:
        answer = patina(*step)
        assert answer.returncode == 0, answer.stderr
        told.append(json.loads(answer.stdout))
    assert told[0]["usable"] == 5
    assert cv2.imread(told[1]["preview"]).shape[1] > 500
    assert told[2]["rendered"] == told[1]["planned"] == 10
    assert told[3]["books"]["closed"] is True
    assert told[5]["faults"] == []
    assert told[6]["rendered"] == 0
    assert cv2.imread(told[6]["pictures"]).size
    pair = read_table(run / "manifest.parquet", ["pair_id"]).column("pair_id")[0].as_py()
    answer = patina("replay", run, "--pair", pair[:10])
    assert answer.returncode == 0
    assert "exact" in answer.stdout


def test_verbs_out_of_order_say_which_comes_first(tmp_path, page, photos):
    """Planning before indexing, selecting in a folder that is no run: one clear line, exit 1."""
    answer = patina("plan", tmp_path)
    assert (answer.returncode, "is no run folder" in answer.stderr) == (1, True)
    patina("index", page, "--out", tmp_path / "run", "--input", photos / "coffee.png", "--engine", "serial")
    answer = patina("render", tmp_path / "run")
    assert (answer.returncode, "run `patina plan" in answer.stderr) == (1, True)
    assert "Traceback" not in answer.stderr


def test_one_degradation_on_one_photo(tmp_path, photos):
    """`degrade` writes the same picture for the same seed, and tells what was drawn."""
    outs = [tmp_path / f"{name}.png" for name in ("one", "two", "three")]
    for out, seed in zip(outs, (7, 7, 8), strict=True):
        answer = patina("degrade", photos / "coffee.png", "--kind", "noise", "--severity", 3, "--seed", seed, "--out", out)
        assert answer.returncode == 0, answer.stderr
        assert "stratum 3" in answer.stdout
    assert outs[0].read_bytes() == outs[1].read_bytes() != outs[2].read_bytes()
    assert cv2.imread(str(outs[0])).shape == cv2.imread(str(photos / "coffee.png")).shape


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--kind", "hase"), "did you mean `haze`"),
        (("--kind", "noise", "--severity", "9"), "strata are numbered 1 to 5"),
        (("--kind", "haze"), "no_far_plane"),
        (("--kind", "noise", "--out", "x.jpg"), "written as .png"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(tmp_path, photos, arguments, told):
    """A wrong name, a wrong severity, a photo that does not suit, a lossy ending for a lossless picture."""
    out = () if "--out" in arguments else ("--out", tmp_path / "x.png")
    answer = patina("degrade", photos / "coffee.png", *arguments, *out, cwd=tmp_path)
    assert answer.returncode == 1
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_kinds_lists_every_generator_with_units():
    """Names, severities, ranges and units, for people and machines."""
    text = patina("kinds").stdout
    listed = json.loads(patina("kinds", "--json").stdout)
    assert [made["name"] for made in listed] == sorted(made["name"] for made in listed)
    for made in listed:
        assert made["name"] in text
        assert all(told["unit"] and told["meaning"] for told in made["ranges"].values())


def test_doctor_says_how_to_get_what_is_missing():
    """Every line that is not there names a command, or why there is none."""
    checks = json.loads(patina("doctor", "--json").stdout)
    assert {"python", "numpy", "codec avif", "depth: geometric", "depth: dpt_large"} <= {check["what"] for check in checks}
    for check in checks:
        commands = ("pip install", "hf download", "curl ", "python -c ")
        assert check["there"] or check["what"] == "gpu" or any(command in check["detail"] for command in commands)


def test_a_sheet_shows_five_strata(tmp_path, photos):
    """One row per degradation: clean and five strata."""
    answer = patina("sheet", photos / "rocket.jpg", "--kind", "noise", "--side", 96, "--out", tmp_path / "sheet.png")
    assert answer.returncode == 0, answer.stderr
    assert cv2.imread(str(tmp_path / "sheet.png")).shape[1] > 6 * 96


def test_help_is_quick():
    """The command answers before anyone wonders."""
    begin = time.perf_counter()
    assert "build" in patina("--help").stdout
    assert time.perf_counter() - begin < 5


def test_the_metadata_of_a_photo_does_not_reach_the_outputs(tmp_path, page):
    """A camera's name and place in EXIF are in no file of the run's pictures."""
    from PIL import Image
    from skimage import data

    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    Image.fromarray(np.asarray(data.astronaut())).save(tmp_path / "secret.jpg", exif=exif, quality=97)
    run = tmp_path / "run"
    answer = patina("build", page, "--out", run, "--input", tmp_path / "secret.jpg", "--engine", "serial")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    tars = list((run / "shards").glob("*.tar"))
    assert tars
    assert not any(b"SECRET-CAMERA" in path.read_bytes() for path in tars)
