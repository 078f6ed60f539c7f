"""BasicSR and Real-ESRGAN, paired: `meta_info` lines that name both sides, separated by exactly ", ".

    gt/213714d7.png, lq/213714d7.jpg

As `RealESRGANPairedDataset` reads them. One clean picture may stand in several lines: it is stored once, under the name of the
first pair that has it.
"""

from __future__ import annotations

from pathlib import Path

from manifests.formats.columns import Columns
from manifests.formats.contract import FileFormat, Placed, Row, inside

_FOLDERS = {"clean": "gt", "degraded": "lq"}


def _place(row: Row, role: str, extension: str) -> str | None:
    """Return `SPLIT/gt/ID.png` or `SPLIT/lq/ID.jpg`."""
    if role not in _FOLDERS:
        return None
    name = row["clean_of"] if role == "clean" else row["pair_id"]
    return f"{row['split']}/{_FOLDERS[role]}/{name}.{extension}"


def _entry(pair: Placed, _: Columns, __: Path) -> tuple[str, str]:
    paths = inside(pair)
    return f"{pair.row['split']}/meta_info.txt", f"{paths['clean']}, {paths['degraded']}"


def _usage(splits: list[str]) -> str:
    return f"""```yaml
datasets:
  train:
    type: RealESRGANPairedDataset
    dataroot_gt: PATH/OF/THIS/FOLDER/{splits[0]}
    dataroot_lq: PATH/OF/THIS/FOLDER/{splits[0]}
    meta_info: PATH/OF/THIS/FOLDER/{splits[0]}/meta_info.txt
    io_backend: {{type: disk}}
scale: 1
```

Both sides have one size: these are pairs for restoration at scale 1.
"""


FORMAT = FileFormat(
    name="basicsr",
    about="gt/, lq/ and meta_info.txt for BasicSR and Real-ESRGAN",
    usage=_usage,
    place=_place,
    entry=_entry,
)
