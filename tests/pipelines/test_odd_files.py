"""What becomes of every awkward file that we have: a literal table, checked in a child process that may die.

The child may use one gigabyte more than it needs to start, and five seconds a file; if it crashes, hangs or is stopped,
its last line names the file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import typing
from pathlib import Path

import pytest

from degrade.errors import BadSample, Reason
from pipelines.photos.decode import DecodeRules, decode
from pipelines.photos.formats import FormatName

GIGABYTE = 1 << 30
SECONDS = 5
EVERY_FORMAT = DecodeRules(formats=typing.get_args(FormatName))

Photo = tuple[int, int, tuple[str, ...]]  # width, height, notes
FILES: dict[str, Photo | Reason] = {
    "adobergb_photo.jpg": (2000, 1072, ("icc:Adobe RGB (1998)",)),
    "anim_squares.gif": Reason.ANIMATED,
    "anim_squares.webp": Reason.ANIMATED,
    "apng_over.png": Reason.ANIMATED,
    "bad_exif.jpg": (500, 500, ("grey",)),
    "broken.png": Reason.DECODE_FAILED,
    "cielab.tif": (10, 10, ("icc:CIELab",)),
    "cmyk_photo.jpg": Reason.BAD_PROFILE,  # it has none
    "cmyk_small.jpg": Reason.BAD_PROFILE,
    "corrupt_header.jpg": Reason.TRUNCATED,
    "decompression_bomb.gif": Reason.TOO_MANY_PIXELS,
    "document_scan_1bit.tif": (2548, 3296, ("1bit", "grey")),
    "exif_Landscape_3.jpg": (600, 450, ("icc:Generic RGB Profile", "upright:3")),
    "exif_Landscape_5.jpg": (600, 450, ("icc:Generic RGB Profile", "upright:5")),
    "exif_Landscape_6.jpg": (600, 450, ("icc:Generic RGB Profile", "upright:6")),
    "exif_Landscape_8.jpg": (600, 450, ("icc:Generic RGB Profile", "upright:8")),
    "exif_Portrait_6.jpg": (450, 600, ("icc:Generic RGB Profile", "upright:6")),
    "full_transparent.png": Reason.TRANSPARENT,
    "gainmap_ultrahdr.jpg": (3840, 2160, ("first picture of several",)),
    "giant_20000x14000.jpg": Reason.TOO_MANY_PIXELS,
    "gray16.jp2": (64, 64, ("16bit", "grey")),
    "gray16.png": Reason.TRANSPARENT,  # one level of grey is declared transparent, and is there
    "gray_concert_icc.jpg": (400, 267, ("grey", "icc:Gray Gamma 2.2")),
    "gray_photo.png": (500, 351, ("grey",)),
    "gray_wolf.jpg": (236, 236, ("grey", "icc:Dot Gain 15%")),
    "graya_8bit.png": Reason.TRANSPARENT,
    "hopper.avif": (128, 128, ()),
    "hopper.heif": (128, 128, ()),
    "hopper.webp": (128, 128, ()),
    "iss.gif": Reason.ANIMATED,
    "iss.webp": Reason.ANIMATED,
    "multipage.tif": Reason.ANIMATED,
    "not_an_image.png": Reason.NOT_AN_IMAGE,
    "p3.png": (8, 8, ("alpha:opaque", "icc:Display P3")),
    "palette_alpha.png": Reason.TRANSPARENT,
    "palette_trns.png": Reason.TRANSPARENT,
    "panorama_wide.jpg": (5944, 480, ()),
    "photo3d.mpo": (640, 480, ("first picture of several",)),
    "pitm.avif": (4096, 800, ()),
    "png16_graya.png": Reason.TRANSPARENT,
    "png16_rgb_flag.png": (900, 600, ("16bit",)),
    "png16_rgb_trns.png": Reason.TRANSPARENT,
    "png16_tree_alpha.png": Reason.TRANSPARENT,
    "png_named.jpg": (2, 2, ()),
    "progressive_app13.jpg": (256, 160, ()),
    "progressive_bigicc.jpg": (425, 250, ("icc:TIFF RGB",)),
    "progressive_photo.jpg": (1536, 1024, ()),
    "prophoto_1x1.png": (1, 1, ("icc:ProPhoto RGB",)),
    "rle8.bmp": (127, 64, ("palette",)),
    "rot3mir0.avif": (640, 427, ("upright:7",)),
    "tiny_1x1_gray.jpg": (1, 1, ("grey",)),
    "tiny_1x1_trns.png": Reason.TRANSPARENT,
    "tiny_2x2.png": (2, 2, ()),
    "transparent.webp": Reason.TRANSPARENT,
    "truncated.jpg": Reason.TRUNCATED,
    "truncated.png": Reason.TRUNCATED,
    "truncated_progressive.jpg": Reason.TRUNCATED,
    "xmp_orientation.png": (326, 268, ("alpha:opaque", "icc:ColorMatch RGB", "upright:3")),
    "zero_byte.jpg": Reason.EMPTY,
    "zero_width.gif": Reason.DECODE_FAILED,
}
NOT_BY_DEFAULT = {".avif", ".bmp", ".gif", ".heif", ".jp2", ".tif"}


class Report(typing.NamedTuple):
    """What the child says of one file."""

    name: str
    default: str  # "photo", or the reason, under the default rules
    outcome: list[typing.Any] | str  # [width, height, notes], or the reason, with every format let in
    seconds: float


@pytest.fixture(scope="module")
def reports(data: Path) -> dict[str, Report]:
    """Decode every file in a child process of bounded memory and time."""
    command = [sys.executable, __file__, str(data / "odd")]
    root = str(Path(__file__).parents[2])
    child = subprocess.run(command, env={**os.environ, "PYTHONPATH": root, "OPENCV_LOG_LEVEL": "SILENT"}, capture_output=True, text=True, check=False)
    lines = child.stdout.splitlines()
    assert child.returncode == 0, f"died with {child.returncode} at {lines[-1] if lines else 'the start'}: {child.stderr[-2000:]}"
    return {line[0]: Report(*line) for line in map(json.loads, lines) if len(line) == len(Report._fields)}


def test_the_table_names_every_odd_file(data: Path) -> None:
    """No awkward file lacks an expected outcome."""
    assert sorted(FILES) == sorted(path.name for path in (data / "odd").iterdir())


@pytest.mark.parametrize("name", FILES)
def test_every_odd_file_ends_as_the_table_says(reports: dict[str, Report], name: str) -> None:
    """An awkward file becomes a photo of known size, or is refused for a known reason, in bounded time and memory."""
    expected, report = FILES[name], reports[name]
    got = report.outcome if isinstance(report.outcome, str) else (report.outcome[0], report.outcome[1], tuple(report.outcome[2]))
    assert got == expected
    assert report.seconds < SECONDS


@pytest.mark.parametrize("name", FILES)
def test_formats_that_are_not_let_in_are_refused_as_such(reports: dict[str, Report], name: str) -> None:
    """By default, JPEG, PNG and WebP (told by their bytes) are read, and the other known formats are refused."""
    expected = FILES[name]
    if Path(name).suffix in NOT_BY_DEFAULT:
        assert reports[name].default == Reason.FORMAT_NOT_ENABLED
    else:
        assert reports[name].default == ("photo" if isinstance(expected, tuple) else expected)


def _outcome(data: bytes, rules: DecodeRules) -> list[typing.Any] | str:
    try:
        photo = decode(data, rules)
    except BadSample as bad:
        return str(bad.reason)
    assert photo.pixels.flags.c_contiguous
    assert photo.pixels.dtype == "uint8"
    height, width, channels = photo.pixels.shape
    assert channels == 3
    return [width, height, photo.notes]


def _examine_all(folder: Path) -> None:
    """Decode file after file, saying which before it begins."""
    now = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize")).split()[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (now + GIGABYTE, now + GIGABYTE))
    for path in sorted(folder.iterdir()):
        print(json.dumps([path.name]), flush=True)
        signal.alarm(SECONDS + 1)
        start = time.perf_counter()
        outcome = _outcome(path.read_bytes(), EVERY_FORMAT)
        seconds = time.perf_counter() - start
        default = _outcome(path.read_bytes(), DecodeRules())
        report = Report(path.name, default if isinstance(default, str) else "photo", outcome, seconds)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    _examine_all(Path(sys.argv[1]))
