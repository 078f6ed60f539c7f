"""DiffSynth-Studio: one JSON list per split, paths relative to `--dataset_base_path`.

    [{"image": "clean/ID.png", "edit_image": "degraded/ID.jpg", "prompt": "..."}]

`image` is the TARGET; `edit_image` is what the model is given.
"""

from __future__ import annotations

from pathlib import Path

from manifests.formats.columns import Columns, as_json
from manifests.formats.contract import LIST, SIDES, FileFormat, Placed, Row, inside


def place(row: Row, role: str, extension: str) -> str | None:
    """Return `SPLIT/clean/ID.png` or `SPLIT/degraded/ID.jpg`."""
    return f"{row['split']}/{role}/{row['pair_id']}.{extension}" if role in SIDES else None


def _entry(pair: Placed, _: Columns, __: Path) -> tuple[str, str]:
    paths = inside(pair)
    return f"{pair.row['split']}/metadata.json", as_json({"image": paths["clean"], "edit_image": paths["degraded"], "prompt": pair.row["prompt"]})


def _usage(splits: list[str]) -> str:
    return f"""```sh
accelerate launch examples/qwen_image/model_training/train.py \\
  --dataset_base_path PATH/OF/THIS/FOLDER/{splits[0]} --dataset_metadata_path PATH/OF/THIS/FOLDER/{splits[0]}/metadata.json \\
  --data_file_keys "image,edit_image" --extra_inputs "edit_image" ...
```
"""


FORMAT = FileFormat(
    name="diffsynth",
    about="metadata.json for DiffSynth-Studio's editing models",
    usage=_usage,
    place=place,
    entry=_entry,
    frame=LIST,
)
