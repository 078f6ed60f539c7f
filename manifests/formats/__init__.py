"""Other people's formats, one file each: what they are called, where a picture lies in them, what stands in their index.

The catalogue is a table that you can read: a format is a file and an entry.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from degrade.keys import nearest

if TYPE_CHECKING:
    from manifests.formats.contract import FileFormat, PackFormat

FILES = {
    "webdataset": "webdataset",
    "imagefolder": "imagefolder",
    "parquet": "parquet",
    "diffsynth": "diffsynth",
    "diffusers": "diffusers",
    "basicsr": "basicsr",
    "ai-toolkit": "ai_toolkit",
    "step1x-edit": "step1x_edit",
}


class Formats(Mapping[str, "FileFormat | PackFormat"]):
    """The formats by name. A file is loaded when its format is asked for: the help of the command line only names them."""

    def __getitem__(self, name: str) -> FileFormat | PackFormat:
        made: FileFormat | PackFormat = importlib.import_module(f"{__name__}.{FILES[name]}").FORMAT
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


FORMATS = Formats()


def known(name: str) -> str:
    """Return a format's name; raises ValueError with the nearest valid one."""
    if name not in FILES:
        raise ValueError(f"no format `{name}`; {nearest(name, FILES)}")
    return name
