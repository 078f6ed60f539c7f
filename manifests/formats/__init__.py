"""Other people's formats, one file each: what they are called, where a picture lies in them, what stands in their index.

The catalogue is a table that you can read: a format is a file, an import and an entry.
"""

from degrade.keys import nearest
from manifests.formats import ai_toolkit, basicsr, diffsynth, diffusers, imagefolder, parquet, step1x_edit, webdataset
from manifests.formats.contract import FileFormat, PackFormat

FORMATS: dict[str, FileFormat | PackFormat] = {
    made.name: made
    for made in (
        webdataset.FORMAT,
        imagefolder.FORMAT,
        parquet.FORMAT,
        diffsynth.FORMAT,
        diffusers.FORMAT,
        basicsr.FORMAT,
        ai_toolkit.FORMAT,
        step1x_edit.FORMAT,
    )
}


def known(name: str) -> str:
    """Return a format's name; raises ValueError with the nearest valid one."""
    if name not in FORMATS:
        raise ValueError(f"no format `{name}`; {nearest(name, FORMATS)}")
    return name
