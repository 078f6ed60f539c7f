"""A data set card says how many of what, how strong, under which licences, and how to make it again; nothing in it is code."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import cv2
import pytest
import yaml
from crafted_run import PARTNER, SHARED, craft

import degrade
from manifests.card.readme import Story, cell, grid, hub_name
from manifests.commit import read_table
from manifests.export import export
from manifests.formats.rows import photo_name, public
from pipelines.citations import CITATIONS

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPE = "name: tiny\nseed: 3  # ```not a fence\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    run = tmp_path_factory.mktemp("carded") / "run"
    return export(run, craft(run), "imagefolder", story=Story("tiny|set", RECIPE, CITATIONS))


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_front_matter_is_the_hubs(page):
    """Splits are named with their files, licences that are not all known to the Hub are `other`, sizes are its categories."""
    front = yaml.safe_load(page.split("---\n")[1])
    assert front["configs"][0]["data_files"] == [{"split": "train", "path": "train/**"}, {"split": "test", "path": "test/**"}]
    assert (front["license"], front["license_link"]) == ("other", "photos.csv")
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["image-to-image"]


def test_counts_are_the_manifests(page):
    """Pairs by task and split, medians, and the refused ones with their reason."""
    assert "| noise | 3 | 2 | 1 | 200, 400, 500 ISO | 0 | 1 | 0 | 1 | 1 | 23.0 dB |" in page
    assert "Of 6 planned pairs 5 were kept and 1 refused (below_limit 1)." in page


def test_every_photo_is_credited(folder):
    """photos.csv names photos and second photos with what their own lists told, not those of refused copies; folders and signatures stay at home."""
    text = (folder / "photos.csv").read_text(encoding="utf-8")
    told = {(row["role"], row["sha256"]): row for row in csv.DictReader(io.StringIO(text))}
    assert told["photo", SHARED]["pairs"] == "2"
    assert told["photo", SHARED]["licence"] == "CC BY 4.0"
    assert told["partner", PARTNER]["licence"] == "each to his own"
    assert told["photo", "c" * 64]["licence"] == "CC0"
    assert told["photo", "b" * 64]["photo"] == "s3://bucket/b.jpg"


def test_nothing_tells_where_photos_lay(folder):
    """No text of an export names a local folder or a secret of a signed address."""
    for path in folder.rglob("*"):
        if path.suffix in {".md", ".json", ".jsonl", ".csv"}:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in ("/home/me", "/p/d.jpg", "secret", "word@") if word in text], path


def test_what_came_from_outside_stays_text(page):
    """Names with markup, pipes and fences neither break the table nor become code."""
    assert "# tiny\\|set" in page
    assert "````yaml\nname: tiny" in page
    assert cell("a|b\n<i>`x`") == "a\\|b &lt;i&gt;\\`x\\`"
    assert grid(["x"], [["a|b"]]).count("\n") == 2


def test_a_strip_of_pictures_for_each_task(folder, page):
    """Five columns, two rows, linked from the card."""
    for task in ("noise", "rain"):
        assert f"(figures/{task}.jpg)" in page
        assert cv2.imread(str(folder / "figures" / f"{task}.jpg")).shape == (2 * 260 - 4, 5 * 260 - 4, 3)


def test_croissant_hashes_its_tables(folder):
    """Every table is a file object with its hash, every column a field."""
    told = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    for table in told["distribution"]:
        assert table["sha256"] == hashlib.sha256((folder / table["contentUrl"]).read_bytes()).hexdigest()
    line = json.loads((folder / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [field["name"] for field in told["recordSet"][0]["field"]] == list(line)


@pytest.mark.parametrize(("written", "name"), [("CC BY-SA 4.0", "cc-by-sa-4.0"), ("CC0", "cc0-1.0"), ("Apache-2.0", "apache-2.0"), ("ask me", None)])
def test_licences_are_translated_for_the_hub(written, name):
    """What people write becomes the Hub's word where it has one."""
    assert hub_name(written) == name


def test_a_run_without_licences_says_so(scratch):
    """No licence in the front matter, a plain warning in the text."""
    page = (export(scratch.folder, scratch.manifest, "basicsr") / "README.md").read_text(encoding="utf-8")
    assert "license" not in yaml.safe_load(page.split("---\n")[1])
    assert "**No licence was recorded for any of them**" in page
    kept = sum(verdict == "keep" for verdict in read_table(scratch.manifest, ["verdict"]).column("verdict").to_pylist())
    assert f"{kept} pairs of a clean photo" in page


def test_every_degradation_is_cited_and_nothing_else():
    """The card cites what our own code names as its source."""
    code = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "degrade").rglob("*.py"))
    assert CITATIONS.keys() == set(degrade.NAMES)
    for works in CITATIONS.values():
        assert [work for work in works if work.split()[0].rstrip(",") not in code] == []


def test_of_tars_and_groups_no_folder_is_told():
    """Of a photo in a tar its own name and the tar's are told, of a group that is a folder a hash; credentials never."""
    assert photo_name("tar://train/a.jpg::/home/me/secret/x.tar") == "x.tar/train/a.jpg"
    assert photo_name("tar://a%0A.jpg#2::s3://key:word@bucket/x.tar?sig=secret") == "s3://bucket/x.tar/a%0A.jpg#2"
    told = public({"group": "/home/me/wedding", "licence": "CC0"})
    assert told["licence"] == "CC0"
    assert len(told["group"]) == 32
    assert told == public({"group": "/home/me/wedding", "licence": "CC0"}) != public({"group": "/home/me/party", "licence": "CC0"})
    assert public({"group": "scene 7"}) == {"group": "scene 7"}
