"""References that exist already: found by rule in real folders and tars, cut as the photo was, refused with a reason."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from real_page import PAGE

from degrade.errors import BadSample, Reason, RecipeError, RunError
from manifests import png
from manifests.commit import sha256
from pipelines import crops
from pipelines.crops import Crop
from pipelines.makers import paired
from pipelines.makers.contract import Order
from pipelines.makers.kept import Candidates
from pipelines.makers.made_of import Made
from pipelines.makers.paired import PairedSettings
from pipelines.photos import uris
from pipelines.photos.sources import Source
from pipelines.real import making, orders
from pipelines.recipe import parse
from pipelines.run import create

CROP = Crop(7, 3, 40, 30, 20, 15)
PAIRED = paired.open_maker(PairedSettings(preset="basicsr"), None)


@pytest.fixture(scope="module")
def sides():
    """A photo and its reference: noise that no crop can mistake for another."""
    rng = np.random.default_rng(0)
    return tuple(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(2))


def written(path: Path, pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png.encode(pixels))
    return path


def order(uri, pixels, crop: Crop | None = CROP, **extra: str) -> Order:
    seen = crops.cut(pixels, crop) if crop else pixels
    return Order("0" * 32, seen, "noise", "", 0, str(uri), extra, crop)


def made(settings: PairedSettings, *orders: Order):
    return [one.picture if isinstance(one, Made) else one for one in paired.open_maker(settings, None).make(orders)]


@pytest.mark.parametrize(
    ("preset", "photo", "reference"),
    [
        ("basicsr", "lq/lq/a.png", "lq/gt/a.png"),
        ("basicsr", "set/lq/x/a.png", "set/gt/x/a.jpg"),
        ("foundir", "Train/LQ/01.png", "Train/GT/01.png"),
        ("uhdm", "pair_00/0001_moire.png", "pair_00/0001_gt.png"),
    ],
)
def test_known_layouts(tmp_path, sides, preset, photo, reference):
    """The reference of each known layout is found, under another ending too, and cut and resized as the photo was."""
    degraded, clean = sides
    path = written(tmp_path / photo, degraded)
    written(tmp_path / reference, clean)
    (found,) = made(PairedSettings(preset=preset), order(path, degraded))
    assert np.array_equal(found, crops.cut(clean, CROP))


def test_a_rule_of_ones_own(tmp_path, sides):
    """A regular expression names the reference; where it does not match, nothing is guessed."""
    degraded, clean = sides
    path = written(tmp_path / "noisy_iso6400_7.png", degraded)
    written(tmp_path / "clean_7.png", clean)
    rule = PairedSettings(find=r"noisy_iso\d+_(\d+)", replace=r"clean_\1")
    other = written(tmp_path / "unlike.png", degraded)
    found, bad = made(rule, order(path, degraded), order(other, degraded))
    assert np.array_equal(found, crops.cut(clean, CROP))
    assert bad.reason == Reason.MISSING
    assert "does not match" in bad.detail
    (same,) = made(PairedSettings(find="unlike", replace="unlike"), order(other, degraded))
    assert "photo itself" in same.detail


def test_a_meta_info_file(tmp_path, sides):
    """Lines of a file pair names below its folder; what it does not name has no reference."""
    degraded, clean = sides
    path, lone = written(tmp_path / "lq" / "0001_v3.png", degraded), written(tmp_path / "lq" / "0002.png", degraded)
    written(tmp_path / "gt" / "0001.png", clean)
    listed = tmp_path / "meta_info.txt"
    listed.write_text("gt/0001.png, lq/0001_v3.png\n\n")
    found, bad = made(PairedSettings(meta_info=str(listed)), order(path, degraded), order(lone, degraded))
    assert np.array_equal(found, crops.cut(clean, CROP))
    assert bad.reason == Reason.MISSING
    assert f"does not name {lone}" in bad.detail
    for text in ("gt/0001.png lq/0001.png", "a.png, b.png, c.png", "gt/1.png, lq/1.png\ngt/2.png, lq/1.png"):
        listed.write_text(text)
        with pytest.raises(RecipeError, match=r"meta_info\.txt, line"):
            made(PairedSettings(meta_info=str(listed)))


def test_a_column_of_the_list(tmp_path, sides):
    """A column names the reference, below `root`; a stranger's list reaches nothing outside it."""
    degraded, clean = sides
    path = written(tmp_path / "set" / "bad" / "a.png", degraded)
    good, secret = written(tmp_path / "set" / "good" / "b.png", clean), written(tmp_path / "secret.png", clean)
    (good.parent / "link.png").symlink_to(secret)
    rule = PairedSettings(column="clean", root=str(tmp_path / "set"))
    found, whole, *refused = made(
        rule,
        order(path, degraded, clean="good/b.png"),
        order(path, degraded, clean=str(good)),
        *(order(path, degraded, clean=name) for name in ("../secret.png", str(secret), "good/link.png", "good/none.png")),
        order(path, degraded),
    )
    assert np.array_equal(found, crops.cut(clean, CROP))
    assert np.array_equal(whole, found)
    assert [bad.reason for bad in refused] == [Reason.NOT_A_FILE] * 3 + [Reason.MISSING] * 2
    with pytest.raises(RecipeError, match="set `root`"):
        made(PairedSettings(column="clean"), order(path, degraded, clean="good/b.png"))


def test_pairs_in_a_tar(tmp_path, sides):
    """Photo and reference may be members of one tar, whatever they are called."""
    degraded, clean = sides
    tar = tmp_path / "set.tar"
    with tarfile.open(tar, "w") as archive:
        for name, pixels in (("lq/größe 1.png", degraded), ("gt/größe 1.png", clean), ("lq/lone.png", degraded)):
            data = png.encode(pixels)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    photo, lone = (uris.of_member(name, str(tar)) for name in ("lq/größe 1.png", "lq/lone.png"))
    found, bad = made(PairedSettings(preset="basicsr"), order(photo, degraded), order(lone, degraded))
    assert np.array_equal(found, crops.cut(clean, CROP))
    assert bad.reason == Reason.MISSING
    assert "gt/lone.png" in bad.detail


def test_a_name_that_is_no_text(tmp_path, sides):
    """A file whose name is not printable is paired like any other."""
    degraded, clean = sides
    path = written(tmp_path / "lq" / "a\nb.png", degraded)
    written(tmp_path / "gt" / "a\nb.png", clean)
    (found,) = made(PairedSettings(preset="basicsr"), order(uris.of_path(str(path)), degraded))
    assert np.array_equal(found, crops.cut(clean, CROP))
    lone = written(Path(os.fsdecode(os.fsencode(tmp_path) + b"/other/caf\xe9.png")), degraded)
    (tmp_path / "meta.txt").write_text("")
    for rule in (PairedSettings(preset="basicsr"), PairedSettings(meta_info=str(tmp_path / "meta.txt"))):
        (bad,) = made(rule, order(uris.of_path(str(lone)), degraded))
        assert "caf%E9.png" in bad.detail


def test_what_cannot_be_cut_alike_is_refused(tmp_path, sides):
    """A reference of another size, a broken one, a photo that has changed and one that nobody can name are refused with their reason."""
    degraded, clean = sides
    path, broken, changed = (written(tmp_path / "lq" / name, degraded) for name in ("a.png", "b.png", "c.png"))
    for name in ("a.png", "b.png", "c.png"):
        written(tmp_path / "gt" / name, clean[:, :-2] if name == "a.png" else clean)
    (tmp_path / "gt" / "b.png").write_bytes((tmp_path / "gt" / "b.png").read_bytes()[:-100])
    changed.write_bytes(png.encode(clean))
    answers = made(
        PairedSettings(preset="basicsr"),
        order(path, degraded),
        order(broken, degraded),
        order(changed, degraded),
        order("", degraded),
        order(path, degraded, None),
    )
    assert all(isinstance(bad, BadSample) for bad in answers)
    assert [bad.reason for bad in answers] == [Reason.NO_CANDIDATE, Reason.TRUNCATED, Reason.SOURCE_CHANGED, Reason.NO_CANDIDATE, Reason.NO_CANDIDATE]
    assert "62x48, the photo is 64x48" in answers[0].detail


def test_a_refusal_ends_when_the_reference_comes(tmp_path, sides):
    """What was refused for want of a reference is not refused in silence once there is one, under whatever ending, in a tar too."""
    degraded, clean = sides
    path, tar = written(tmp_path / "lq" / "a.png", degraded), tmp_path / "set.tar"
    data = png.encode(degraded)

    def packed(*names: str) -> None:
        with tarfile.open(tar, "w") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))

    packed("lq/a.png")
    written(tmp_path / "gt" / "z.png", clean)
    kept = Candidates(tmp_path / "shared", tmp_path / "own")
    uri = uris.of_member("lq/a.png", str(tar))
    for key, bad in zip(("ab", "cd"), PAIRED.make([order(path, degraded), order(uri, degraded)]), strict=True):
        assert bad.reason is Reason.MISSING
        kept.keep(key, bad, {"maker": "paired"})
        assert kept.has(key)
    written(tmp_path / "gt" / "a.webp", clean)
    with pytest.raises(RunError, match=r"gt/a\.webp, which has changed"):
        kept.has("ab")
    packed("lq/a.png", "lq/b.png")
    assert kept.has("cd")
    packed("lq/a.png", "gt/a.png")
    assert not (tmp_path / "shared").exists()
    with pytest.raises(RunError, match=r"gt/a\.png::.*set\.tar, which has changed"):
        kept.has("cd")


def test_a_file_of_another_time_and_the_same_bytes_is_the_same(tmp_path, sides):
    """A data set that was copied again is read again, not refused; one that is as it was is not read at all."""
    degraded, clean = sides
    path, reference = written(tmp_path / "lq" / "a.png", degraded), written(tmp_path / "gt" / "a.png", clean)
    kept = Candidates(tmp_path / "shared", tmp_path / "own")
    (told,) = PAIRED.make([order(path, degraded)])
    kept.keep("ab", told, {"maker": "paired"})
    seen = reference.stat()
    os.utime(reference, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    assert kept.has("ab")
    reference.write_bytes(bytes(seen.st_size))
    with pytest.raises(RunError, match="changed"):
        kept.has("ab")
    os.utime(reference, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert kept.has("ab")


class Here:
    """An engine that works in this process."""

    def serve(self, name, tasks, *_limits: object):
        work = getattr(making, name.partition(":")[2])
        return [work({"skip": {}, **task}, lambda _: None) for task in tasks]


def row(path: Path) -> dict:
    """Return the row of a plan for a photo of 64x48 px."""
    place = {"photo_uri": str(path), "photo_offset": None, "photo_size": None, "photo_sha256": sha256(path.read_bytes()), "photo_frame": None}
    crop = {"crop_x": 0, "crop_y": 0, "crop_width": 64, "crop_height": 48, "width": 64, "height": 48}
    told = {"role": "candidate", "maker": "theirs", "prompt": "", "seed": 0, "margin_px": 0}
    return {**place, **crop, "task": "noise", "extra": None, "others": json.dumps([told])}


def test_a_run_goes_on_with_the_references_that_it_began_with(tmp_path, sides, monkeypatch):
    """A reference that changes stops the run that used it, whose pairs can still be replayed; the next run, though it shares the folder, makes its own."""
    degraded, clean = sides
    rows = [row(written(tmp_path / "lq" / name, side)) for name, side in (("a.png", degraded), ("b.png", degraded[::-1]))]
    for name in ("a.png", "b.png"):
        written(tmp_path / "gt" / name, clean)
    monkeypatch.setattr(making, "_rows", lambda _run: rows)
    theirs = {"theirs": {"kind": "paired", "settings": {"preset": "basicsr"}}}
    page = {**PAGE, "real": {**PAGE["real"], "candidates": str(tmp_path / "shared"), "best": {}, "makers": theirs}}
    first, second = (create(tmp_path / name, parse(page), json.dumps(page), (Source(path=str(tmp_path / "lq")),)) for name in ("first", "second"))

    def made(run):
        return making.make(run, run.recipe.real, Here())["theirs"], [orders.candidates(run).picture(orders.key(one, making.who(run)))[0] for one in rows]

    assert made(first)[0] == {"": 2}
    assert made(first)[0] == {}
    written(tmp_path / "gt" / "b.png", 255 - clean)
    with pytest.raises(RunError, match=r"`paired 2, preset basicsr` went by .*gt/b\.png, which has changed since this run began"):
        made(first)
    assert all(np.array_equal(orders.candidates(first).picture(orders.key(one, making.who(first)))[0], clean) for one in rows)
    counts, (same, other) = made(second)
    assert counts == {"": 2}
    assert np.array_equal(same, clean)
    assert np.array_equal(other, 255 - clean)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ({}, "exactly one"),
        ({"preset": "uhdm", "column": "clean"}, "exactly one"),
        ({"column": "clean", "replace": "x"}, "needs `find`"),
        ({"find": "("}, "`find` or `replace`"),
        ({"find": "a", "replace": r"\2"}, "group"),
        ({"presett": "uhdm"}, "preset"),
    ],
)
def test_impossible_settings_are_refused(page, said):
    """A rule that cannot be meant is refused before a photo is opened."""
    with pytest.raises(ValidationError, match=said):
        PairedSettings(**page)
