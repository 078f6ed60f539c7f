"""diffusers' training scripts: an imagefolder with the columns that `train_instruct_pix2pix.py` looks for.

    input_image (degraded), edit_prompt, edited_image (clean), then everything else

The script takes the first three columns when no flag names them, so they stand first. The Kontext scripts name their
columns by flags.
"""

from __future__ import annotations

from pathlib import Path

from manifests.formats import imagefolder
from manifests.formats.columns import Columns
from manifests.formats.contract import FileFormat, Placed

_HEADS = {"input_image_file_name": "degraded", "edit_prompt": "prompt", "edited_image_file_name": "clean"}


def _entry(pair: Placed, columns: Columns, _: Path) -> tuple[str, str]:
    return imagefolder.line_of(pair, columns, _HEADS)


def _usage(splits: list[str]) -> str:
    return f"""```sh
accelerate launch train_instruct_pix2pix.py --train_data_dir PATH/OF/THIS/FOLDER/{splits[0]} \\
  --original_image_column input_image --edit_prompt_column edit_prompt --edited_image_column edited_image ...
accelerate launch train_dreambooth_lora_flux_kontext.py --dataset_name PATH/OF/THIS/FOLDER \\
  --image_column edited_image --cond_image_column input_image --caption_column edit_prompt ...
```
"""


FORMAT = FileFormat(
    name="diffusers",
    about="imagefolder with the columns of diffusers' editing scripts",
    usage=_usage,
    place=imagefolder.place,
    entry=_entry,
    data_files=lambda split: f"{split}/**",
    tables="*/metadata.jsonl",
)
