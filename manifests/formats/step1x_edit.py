"""Step1X-Edit (kohya's scripts): one JSON table per split, from the target to its source and caption.

    {"/run/export/step1x-edit/train/clean/ID.png": {"ref_image_path": "/run/.../degraded/ID.jpg", "caption": "..."}}

Its reader opens both paths as they stand, from wherever the trainer was started, so they are absolute; an export whose run
was moved is written again by the next `patina export`.
"""

from __future__ import annotations

from pathlib import Path

from manifests.formats import diffsynth
from manifests.formats.columns import Columns, as_json
from manifests.formats.contract import SIDES, TABLE, FileFormat, Placed


def _entry(pair: Placed, _: Columns, folder: Path) -> tuple[str, str]:
    clean, degraded = (str(folder / pair.paths[side]) for side in SIDES)
    return f"{pair.row['split']}/metadata.json", f"{as_json(clean)}: {as_json({'ref_image_path': degraded, 'caption': pair.row['prompt']})}"


def _usage(splits: list[str]) -> str:
    return f"""```toml
[[datasets]]
resolution = [768, 768]
batch_size = 1
edit_dataset = true

  [[datasets.subsets]]
  image_dir = "PATH/OF/THIS/FOLDER/{splits[0]}/clean"
  metadata_file = "PATH/OF/THIS/FOLDER/{splits[0]}/metadata.json"
```

Paths in `metadata.json` are absolute. If you move this folder, run `patina export` again, or replace them.
"""


FORMAT = FileFormat(
    name="step1x-edit",
    about="metadata.json for Step1X-Edit's training scripts",
    usage=_usage,
    place=diffsynth.place,
    entry=_entry,
    frame=TABLE,
    bound=True,
)
