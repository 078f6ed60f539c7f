"""ai-toolkit: a folder of targets with captions, a folder of controls, matched by base name.

    target/ID.png  target/ID.txt  control/ID.jpg
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from manifests.formats.columns import Columns
from manifests.formats.contract import BARE, FileFormat, Placed, Row

_FOLDERS = {"clean": "target", "degraded": "control"}


def _place(row: Row, role: str, extension: str) -> str | None:
    """Return `SPLIT/target/ID.png` or `SPLIT/control/ID.jpg`."""
    return f"{row['split']}/{_FOLDERS[role]}/{row['pair_id']}.{extension}" if role in _FOLDERS else None


def _entry(pair: Placed, _: Columns, __: Path) -> tuple[str, str]:
    return str(PurePosixPath(pair.paths["clean"]).with_suffix(".txt")), pair.row["prompt"]


def _usage(splits: list[str]) -> str:
    return f"""```yaml
datasets:
  - folder_path: PATH/OF/THIS/FOLDER/{splits[0]}/target
    control_path: PATH/OF/THIS/FOLDER/{splits[0]}/control
    caption_ext: txt
    full_size_control_images: true   # otherwise controls are shrunk to 512 px
```
"""


FORMAT = FileFormat(
    name="ai-toolkit",
    about="target/ with captions and control/ for ai-toolkit",
    usage=_usage,
    place=_place,
    entry=_entry,
    frame=BARE,
)
