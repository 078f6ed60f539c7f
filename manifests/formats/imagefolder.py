"""Hugging Face imagefolder: pictures as files, and one line of JSON per pair that names them.

    {"file_name": "clean/ID.png", "degraded_file_name": "degraded/ID.jpg", "prompt": "...", "task": "haze", ...}

`file_name` becomes the column `image` (the clean side), `X_file_name` the column `X`
(https://huggingface.co/docs/datasets/image_dataset). Types are guessed from each split's lines by itself, so every line
has every key, and side products, which most pairs lack, are files that the text column `layers` names.
"""

from __future__ import annotations

from pathlib import Path

from manifests.formats.columns import Columns, as_json, line
from manifests.formats.contract import SIDES, FileFormat, Placed, Row, inside


def place(row: Row, role: str, extension: str) -> str:
    """Return `SPLIT/clean/ID.png`, `SPLIT/degraded/ID.jpg` or `SPLIT/layers/NAME/ID.png`."""
    folder = role if role in SIDES else f"layers/{role}"
    return f"{row['split']}/{folder}/{row['pair_id']}.{extension}"


def line_of(pair: Placed, columns: Columns, heads: dict[str, str]) -> tuple[str, str]:
    """Return `SPLIT/metadata.jsonl` and the line of a pair in it.

    Args:
        pair: placed.
        columns: of the export.
        heads: the first keys of the line, and the role or column that each one tells.
    """
    paths, story = inside(pair), line(pair.row, columns)
    head = {key: paths[told] if told in paths else story.pop(told) for key, told in heads.items()}
    layers = {name: {"file": paths[name], "scale": layer["scale"]} for name, layer in pair.row["layers"].items()}
    told = {**head, **story, **({"layers": as_json(layers)} if columns.layers else {})}
    return f"{pair.row['split']}/metadata.jsonl", as_json(told)


def _entry(pair: Placed, columns: Columns, _: Path) -> tuple[str, str]:
    return line_of(pair, columns, {"file_name": "clean", "degraded_file_name": "degraded"})


def _usage(splits: list[str]) -> str:
    return f"""```python
from datasets import load_dataset

pairs = load_dataset("PATH/OF/THIS/FOLDER", split="{splits[0]}")
pairs[0]["image"], pairs[0]["degraded"], pairs[0]["prompt"]
```

`image` is the clean side. Where there are side products, the text column `layers` is JSON that names their files, 16-bit PNG,
and the `scale` that a stored 65535 stands for.
"""


FORMAT = FileFormat(
    name="imagefolder",
    about="pictures and metadata.jsonl for Hugging Face `datasets`",
    usage=_usage,
    place=place,
    entry=_entry,
    data_files=lambda split: f"{split}/**",
    tables="*/metadata.jsonl",
)
