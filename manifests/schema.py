"""What the rows hold: one Arrow schema per kind of row, with a version.

Nested and growing things (steps, assets, versions) are JSON text, so that a row of today can be read by a reader of
tomorrow and queried by any SQL engine with JSON functions.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 2

_TEXTS = pa.map_(pa.string(), pa.string())
_NUMBERS = pa.map_(pa.string(), pa.float64())
_WORD = pa.dictionary(pa.int32(), pa.string())

# where a photo's bytes are; offset and size are null for a file of its own, set for a member of a tar
LISTING = pa.schema(
    [
        ("uri", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("extra", _TEXTS),  # columns that came with a list: licence, source, group...
        ("reason", pa.string()),  # why it cannot be read, when that is known without opening it
        ("detail", pa.string()),
    ]
)

BANK = pa.schema(  # the images of the recipe's banks: flares, fog, rain, dirt, moire patterns
    [
        ("bank", pa.string()),  # the degradation that draws from it
        *LISTING,
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("verdict", pa.string()),  # keep | reject
    ]
)

INDEX = pa.schema(
    [
        *LISTING,
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("kind", pa.string()),  # photo | clip
        ("format", pa.string()),
        ("width", pa.int32()),  # px, upright
        ("height", pa.int32()),
        ("notes", pa.string()),  # what decoding did: upright, icc, grey...
        ("phash", pa.string()),
        ("thumbnail", pa.binary()),  # 48x48 luma, by which near copies are found, see filters/near; null where nothing was decoded
        ("sky_frac", pa.float32()),
        ("luminance", pa.float32()),  # mean linear light, 0..1
        ("far", pa.bool_()),
        ("detail_grid", pa.binary()),  # 8x8 cells: mean gradient, see degrade/scene/relief.py
        ("distance_grid", pa.binary()),  # 8x8 cells: share that is far
        ("lights", pa.string()),  # JSON: [[x_frac, y_frac, radius_frac, colour, power]] of the whole photo, strongest first
        ("frames", pa.int32()),  # of a clip; null for a photo
        ("motion", pa.string()),  # JSON of a clip: {fps, speeds_px, shots}, px of its own frames
        ("measures", _NUMBERS),
        ("verdict", pa.string()),  # keep | reject
        ("cluster", pa.string()),  # smallest sha256 of the copies that one split keeps together; null without copies
    ]
)

GUARD = pa.schema(  # images that must never be trained on
    [
        ("uri", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("sha256", pa.string()),
        ("thumbnail", pa.binary()),  # as in the index
    ]
)

PLAN = pa.schema(
    [
        ("schema_version", pa.int16()),
        ("pair_id", pa.string()),  # hash of everything that decides the pixels
        ("task", _WORD),
        ("origin", _WORD),  # synthetic | real
        ("split", _WORD),
        ("photo_uri", pa.string()),
        ("photo_offset", pa.int64()),
        ("photo_size", pa.int64()),
        ("photo_sha256", pa.string()),
        ("photo_width", pa.int32()),
        ("photo_height", pa.int32()),
        ("photo_frame", pa.int32()),  # of a clip: the frame that is the clean side, counted from 0; null for a photo
        ("variant", pa.int32()),
        ("crop_x", pa.int32()),  # px of the upright photo
        ("crop_y", pa.int32()),
        ("crop_width", pa.int32()),
        ("crop_height", pa.int32()),
        ("width", pa.int32()),  # px of the pair
        ("height", pa.int32()),
        ("steps", pa.string()),  # JSON: [{generator, version, params, severity, unit, stratum}] in physical order
        ("severity", pa.float64()),  # of the task's own step, in `unit`
        ("unit", _WORD),
        ("stratum", pa.int8()),  # 1..5
        ("makers", pa.string()),  # JSON: which prior makes which map, {"depth": "geometric"}
        ("others", pa.string()),  # JSON: [{role, uri, offset, size, sha256, crop}] - a second photo, images of banks
        ("prompt_en", _WORD),
        ("prompt_zh", _WORD),
        ("extra", _TEXTS),
        ("shard", _WORD),  # empty for a row that was refused before rendering
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


def _member(side: str) -> list[tuple[str, pa.DataType]]:
    return [(f"{side}_offset", pa.int64()), (f"{side}_length", pa.int64()), (f"{side}_type", _WORD), (f"{side}_sha256", pa.string())]


PAIR = pa.schema(
    [
        *PLAN,
        *_member("clean"),  # where the member's bytes lie in the shard's tar
        *_member("degraded"),
        ("assets", pa.string()),  # JSON: [{kind, maker, sha256}] that were used
        ("layers", pa.string()),  # JSON: [{name, offset, length, sha256, scale}] of side products in the tar; null without
        ("scores", _NUMBERS),
        ("verdict", _WORD),  # keep | reject
        ("decided_by", _WORD),  # the verb that decided
        ("made_with", _WORD),  # JSON: versions of everything that touches pixels
    ]
)
