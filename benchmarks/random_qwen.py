"""Qwen3-VL with random weights in any size: a checkpoint for tests, a small model for a CPU, the 8B shape for a GPU.

The tokenizer is byte-level BPE with Qwen's own splitting, so that a digit is one token; its merges are learnt from our own
questions, so that they have about the length that the published vocabulary gives them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from filters.vlm.defects import DEFECTS
from filters.vlm.local import native_bfloat16
from filters.vlm.prompts import wordings

SPECIAL = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
    "turn_token": "<|im_start|>",
    "end_token": "<|im_end|>",
}
TEMPLATE = (  # the form of Qwen's own: a turn, a picture in its marks, and an answer that may go on
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Shape(NamedTuple):
    """How large a model is."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocab: int  # 0 for what the tokenizer needs
    rope: tuple[int, int, int]  # of half a head: time, height, width
    eye_hidden: int
    eye_layers: int
    eye_heads: int
    eye_inner: int
    positions: int
    deep: tuple[int, ...]
    most_px: int  # pixels of a picture, more is reduced
    spread: float = 0.02  # standard deviation of the weights
    tied: bool = False


SHAPES = {
    "tiny": Shape(32, 2, 2, 1, 16, 64, 0, (4, 2, 2), 32, 2, 2, 64, 64, (0,), 16384, spread=0.2),  # enough for pictures to matter
    "small": Shape(128, 12, 2, 1, 64, 384, 0, (12, 10, 10), 64, 3, 2, 192, 256, (0, 1), 16777216),  # a step costs its calls, as on a GPU
    "medium": Shape(384, 8, 6, 2, 64, 1152, 0, (12, 10, 10), 192, 4, 4, 512, 256, (0, 1, 2), 16777216),  # a pass costs its arithmetic
    "8b": Shape(4096, 36, 32, 8, 128, 12288, 151936, (24, 20, 20), 1152, 27, 16, 4304, 2304, (8, 16, 24), 16777216),
}


def processor(most_px: int) -> Any:
    """Return a processor as Qwen3-VL has it, with a small vocabulary."""
    import transformers
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learnt, merges = _learnt(alphabet)
    vocab = {piece: at for at, piece in enumerate([*alphabet, *learnt])}
    for word in ("<|endoftext|>", *SPECIAL.values()):
        vocab[word] = len(vocab)
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=vocab, merges=merges, eos_token="<|im_end|>", pad_token="<|endoftext|>", extra_special_tokens=SPECIAL
    )
    size = {"shortest_edge": 1024, "longest_edge": most_px}
    eyes = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "size": size, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    return transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(**eyes),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen3VLVideoProcessor(**eyes),
        chat_template=TEMPLATE,
    )


def _learnt(alphabet: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return pieces of words and the merges that make them, learnt from our own questions."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    apprentice = Tokenizer(models.BPE())
    apprentice.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    texts = [one.text for task in DEFECTS for preset in ("patina", "realir_bench") for one in wordings(preset, task, parts=True)]
    apprentice.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, show_progress=False))
    told = json.loads(apprentice.to_str())["model"]
    known = set(alphabet)
    pieces = [piece for piece, _ in sorted(told["vocab"].items(), key=lambda entry: entry[1]) if piece not in known]
    return pieces, [tuple(merge) for merge in told["merges"]]


def config(shape: Shape, tokenizer: Any) -> Any:
    """Return a Qwen3-VL configuration of a size."""
    import transformers

    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in SPECIAL.items()}
    text = {
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocab or len(tokenizer),
        "initializer_range": shape.spread,
        "rope_parameters": {"rope_type": "default", "rope_theta": 5e6, "mrope_section": list(shape.rope), "mrope_interleaved": True},
    }
    vision = {
        "depth": shape.eye_layers,
        "hidden_size": shape.eye_hidden,
        "num_heads": shape.eye_heads,
        "intermediate_size": shape.eye_inner,
        "patch_size": 16,
        "out_hidden_size": shape.hidden,
        "num_position_embeddings": shape.positions,
        "deepstack_visual_indexes": list(shape.deep),
        "initializer_range": shape.spread,
    }
    return transformers.Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["image_token"],
        video_token_id=ids["video_token"],
        vision_start_token_id=ids["vision_start_token"],
        vision_end_token_id=ids["vision_end_token"],
        tie_word_embeddings=shape.tied,
    )


def build(shape: Shape, device: str = "cpu", dtype: str | None = None) -> tuple[Any, Any]:
    """Return a model with random weights and its processor; by default in what the scorer takes for a checkpoint in bfloat16, as published ones are."""
    import torch
    import transformers

    mouth = processor(shape.most_px)
    dtype = dtype or ("bfloat16" if device.startswith("cuda") or native_bfloat16() else "float32")
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForImageTextToText.from_config(config(shape, mouth.tokenizer), dtype=getattr(torch, dtype))
    return model.eval(), mouth


def save(folder: Path, shape: Shape = SHAPES["tiny"], dtype: str = "float32") -> Path:
    """Write a checkpoint as a user's would be."""
    model, mouth = build(shape, dtype=dtype)
    model.save_pretrained(folder)
    mouth.save_pretrained(folder)
    return folder
