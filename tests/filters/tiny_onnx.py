"""ONNX files written by hand: detectors of two layers that find what is painted in one colour, so that what they find is known.

Only the few fields of ONNX's protocol buffers that a small graph needs (onnx.proto3: ModelProto, GraphProto, NodeProto,
AttributeProto, TensorProto, ValueInfoProto), so that tests need neither the package `onnx` nor a download.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

FLOAT, INT64 = 1, 7  # TensorProto.DataType
STRIDES = (8, 16, 32)
FACE_RGB = (255, 0, 0)  # another colour when red and blue change places


def varint(number: int) -> bytes:
    """Return a non-negative number as protocol buffers write it."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: float | bytes | str) -> bytes:
    """Return one field: ints as varints, floats as 32 bits, the rest with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: np.ndarray) -> bytes:
    """Return a TensorProto."""
    kind = INT64 if values.dtype.kind == "i" else FLOAT
    raw = values.astype(np.int64 if kind == INT64 else np.float32).tobytes()
    return b"".join(field(1, side) for side in values.shape) + field(2, kind) + field(8, name) + field(9, raw)


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int]) -> bytes:
    """Return a NodeProto whose attributes are lists of ints."""
    body = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)
    for name, numbers in attributes.items():
        body += field(5, field(1, name) + field(20, 7) + b"".join(field(8, number) for number in numbers))
    return body


def value(name: str, shape: Sequence[int]) -> bytes:
    """Return a ValueInfoProto of floats."""
    sides = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sides)))


def save(path: Path, nodes: list[bytes], constants: dict[str, np.ndarray], shape: Sequence[int], outputs: dict[str, Sequence[int]]) -> Path:
    """Write a ModelProto of one input, `input`."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "tiny") + b"".join(field(5, tensor(*pair)) for pair in constants.items())
    graph += field(11, value("input", shape)) + b"".join(field(12, value(*pair)) for pair in outputs.items())
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13)))
    return path


def tiny_yunet(path: Path, side: int = 640) -> Path:
    """Write a detector with YuNet's twelve outputs that takes every red cell of 32 px for a face of 64 px."""
    nodes, constants, outputs = [], {}, {}
    colour = np.array([-0.5, -0.5, 1], np.float32).reshape(1, 3, 1, 1) / 255  # BGR 0..255: 1 for red, 0 for grey, below for blue
    for stride in STRIDES:
        cells = (side // stride) ** 2
        nodes.append(node("AveragePool", ["input"], f"mean_{stride}", kernel_shape=[stride] * 2, strides=[stride] * 2))
        for word, width in {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}.items():
            name = f"{word}_{stride}"
            weight, bias = np.zeros((width, 3, 1, 1), np.float32), np.zeros(width, np.float32)
            if width == 1 and stride == max(STRIDES):
                weight[:] = colour
            if word == "bbox":
                bias[:] = (0, 0, np.log(2), np.log(2))
            constants |= {f"{name}_w": weight, f"{name}_b": bias, f"{name}_s": np.array([1, -1, width])}
            nodes.append(node("Conv", [f"mean_{stride}", f"{name}_w", f"{name}_b"], f"{name}_map", kernel_shape=[1, 1]))
            nodes.append(node("Transpose", [f"{name}_map"], f"{name}_rows", perm=[0, 2, 3, 1]))
            nodes.append(node("Reshape", [f"{name}_rows", f"{name}_s"], name))
            outputs[name] = [1, cells, width]
    ordered = {f"{word}_{stride}": outputs[f"{word}_{stride}"] for word in ("cls", "obj", "bbox", "kps") for stride in STRIDES}
    return save(path, nodes, constants, [1, 3, side, side], ordered)


def tiny_text(path: Path, side: int = 736) -> Path:
    """Write a text detector with DB's one output, a map of probabilities, that takes whatever is red for text, its channels being BGR."""
    weight = np.array([-8, -8, 8], np.float32).reshape(1, 3, 1, 1)
    nodes = [node("Conv", ["input", "w", "b"], "map", kernel_shape=[1, 1]), node("Sigmoid", ["map"], "text")]
    return save(path, nodes, {"w": weight, "b": np.array([-25], np.float32)}, [1, 3, side, side], {"text": [1, 1, side, side]})
