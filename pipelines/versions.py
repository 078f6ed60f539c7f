"""What made the pixels: versions recorded in every row, so that a replay can say why two machines differ."""

from __future__ import annotations

import functools
import json
from importlib import metadata

import av
import cv2
import numpy as np
from PIL import features

import degrade


@functools.cache
def deciding_versions() -> dict[str, str]:
    """Return the versions of our own code that decide pixels: a change of these makes another run."""
    return {"patina": metadata.version("patina"), **{f"degrade.{made.name}": str(made.version) for made in degrade.GENERATORS}}


@functools.cache
def made_with() -> str:
    """Return, as JSON, the versions of everything that touches a pixel on this machine."""
    codecs = {f"lib{name}": str(features.version(name)) for name in ("avif", "webp", "libjpeg_turbo")}
    ffmpeg = {name: ".".join(map(str, version)) for name, version in av.library_versions.items() if name == "libavcodec"}
    return json.dumps(
        {
            "patina": metadata.version("patina"),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "ipp": "on" if cv2.ipp.useIPP() else "off",
            "pillow": metadata.version("pillow"),
            "isal": metadata.version("isal"),
            "simd": ",".join(word for word in ("SSE4_2", "AVX2", "AVX512_SKX", "NEON") if cv2.checkHardwareSupport(_SIMD[word])),
            **codecs,
            **ffmpeg,
        },
        sort_keys=True,
    )


_SIMD = {"SSE4_2": 7, "AVX2": 11, "AVX512_SKX": 256, "NEON": 100}  # cv::CpuFeatures
