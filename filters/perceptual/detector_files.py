"""The files of detectors that OpenCV runs: published ones by name with their SHA-256, one's own by path; on this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from degrade.errors import MissingModel
from degrade.keys import nearest
from degrade.scene import checkpoints

ZOO: Final = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"


class Published(NamedTuple):
    """A file of OpenCV's model zoo."""

    folder: str  # in the zoo
    file: str
    sha256: str


PUBLISHED: Final = {
    "yunet": Published("face_detection_yunet", "face_detection_yunet_2023mar.onnx", "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"),
    "ppocr": Published("text_detection_ppocr", "text_detection_cn_ppocrv3_2023may.onnx", "03f550c6b406fda8bf54bd8327815f6c7e2edd98cea02348c93d879254366587"),
}


def find(name: str, known: str) -> tuple[Path, str]:
    """Return the file of a detector, and its maker.

    Args:
        name: the published name, to be found in `$PATINA_MODELS`, or the path of an .onnx file.
        known: the published name that this kind of detector has.

    Raises:
        MissingModel: no such name or file, or another file under the published name; says what to run.
    """
    if name != known:
        path = Path(name)
        if not path.is_file():
            raise MissingModel(f"no detector is called `{name}`, and no file is; {nearest(name, [known])}; or give the path of an .onnx file")
        return path, _maker(path)
    published = PUBLISHED[name]
    path = checkpoints.folder() / published.file
    command = f"curl -L --create-dirs -o {path} {ZOO}{published.folder}/{published.file}"
    if not path.is_file():
        raise MissingModel(f"the detector {name} is not on this machine: {command}")
    if (digest := checkpoints.sha256(path)) != published.sha256:
        raise MissingModel(f"{path} is not the published {name} (its SHA-256 begins with {digest[:8]}): delete it, then {command}")
    return path, _maker(path)


def _maker(path: Path) -> str:
    return f"{path.name}@{checkpoints.sha256(path)[:16]}"
