"""Qwen3-VL by transformers, on this machine: one forward pass, read at the one place where the answer begins.

Only the last hidden state meets the output layer (what `logits_to_keep=1` does), and the rows of the digits do so in float32:
bfloat16 keeps 8 bits, which would round a logit near 20 to eighths and a probability by several per cent. The checkpoints that
answer at once are the Instruct ones; one that thinks first gives no digit here, and abstains.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from degrade.errors import MissingModel
from degrade.scene import checkpoints
from filters.vlm.backend import DIGITS, FORMS, LogDigits, Question

NAMES = {
    "qwen3_vl_2b": "Qwen/Qwen3-VL-2B-Instruct",
    "qwen3_vl_4b": "Qwen/Qwen3-VL-4B-Instruct",
    "qwen3_vl_8b": "Qwen/Qwen3-VL-8B-Instruct",
    "qwen3_vl_32b": "Qwen/Qwen3-VL-32B-Instruct",
    "qwen3_vl_30b_a3b": "Qwen/Qwen3-VL-30B-A3B-Instruct",
}
PINNED = {  # commits that a name without `@revision` means; the others mean whatever snapshot is here, and the maker tells which
    "Qwen/Qwen3-VL-2B-Instruct": "89644892e4d85e24eaac8bacfd4f463576704203",
    "Qwen/Qwen3-VL-4B-Instruct": "ebb281ec70b05090aa6165b016eac8ec08e71b17",
    "Qwen/Qwen3-VL-8B-Instruct": "0c351dd01ed87e9c1b53cbc748cba10e6187ff3b",
}
WHAT = "vision-language"


class Local:
    """A model of the Qwen3-VL family with its processor.

    Args:
        model: with a language head, on its device.
        processor: of the same checkpoint.
        maker: what rows record.
        at_once: questions per forward pass.

    Raises:
        MissingModel: its tokenizer has no single tokens for the digits.
    """

    def __init__(self, model: Any, processor: Any, maker: str, at_once: int) -> None:
        self.model, self.processor, self.maker, self.at_once = model.eval(), processor, maker, at_once
        processor.tokenizer.padding_side = "left"  # so that every answer begins at the last place
        self._ids = answer_ids(processor.tokenizer, maker)

    def digits(self, questions: Sequence[Question]) -> list[LogDigits]:
        """Return the log-probabilities of the five digits, question by question.

        Questions of like size share a pass, so that little is padded. In float32 a batch gives what each question gives alone to
        1e-4; in bfloat16 to about 0.02, and `torch.cuda.OutOfMemoryError` is the caller's, who knows how to halve a batch.
        """
        found: dict[int, LogDigits] = {}
        for chosen in _passes(questions, self.at_once):
            found.update(zip(chosen, self._forward([questions[at] for at in chosen]), strict=True))
        return [found[at] for at in range(len(questions))]

    def inputs(self, questions: Sequence[Question]) -> Any:
        """Return what the model takes, on its device: tokens padded on the left, and patches; all questions have a preface, or none has."""
        talks = [_talk(question) for question in questions]
        goes_on = bool(questions[0].preface)
        packed = self.processor.apply_chat_template(
            talks,
            tokenize=True,
            return_dict=True,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
            processor_kwargs={"return_tensors": "pt", "padding": True, "images_kwargs": {"device": str(self.model.device)}},
        )
        return packed.to(self.model.device)

    def _forward(self, questions: list[Question]) -> list[LogDigits]:
        import torch

        with torch.inference_mode():
            last = self.model.base_model(**self.inputs(questions), use_cache=False).last_hidden_state[:, -1]
            head = self.model.get_output_embeddings()
            every = head(last).float().logsumexp(-1, keepdim=True)
            ids = torch.tensor([token for tokens in self._ids for token in tokens], device=last.device)
            logs = (torch.nn.functional.linear(last.float(), head.weight[ids].float()) - every).double().cpu().numpy()
        ends = np.cumsum([0, *map(len, self._ids)])
        return [np.array([np.logaddexp.reduce(row[begin:end]) for begin, end in itertools.pairwise(ends)]) for row in logs]


def open_local(name: str, device: str | None, at_once: int) -> Local:
    """Open a checkpoint of the Qwen3-VL family.

    Args:
        name: a short name of `NAMES`, a hub id, optionally with `@revision`, or a folder.
        device: a torch device; by default the first GPU, else the CPU.
        at_once: questions per forward pass.

    Raises:
        MissingModel: unknown name, checkpoint not on this machine or not whole, or a library missing; says what to run.
    """
    torch, transformers = (checkpoints.library(library, "vision-language models", "vlm") for library in ("torch", "transformers"))
    source, revision = checkpoints.source(name, NAMES, WHAT)
    revision = revision or PINNED.get(source)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    options: dict[str, Any] = {**checkpoints.LOCAL, "revision": revision}
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    door = transformers.AutoModelForImageTextToText
    try:
        processor = transformers.AutoProcessor.from_pretrained(source, **options)
        model, told = door.from_pretrained(source, dtype=dtype, use_safetensors=True, output_loading_info=True, **options)
    except (OSError, ValueError, KeyError) as error:
        raise MissingModel(checkpoints.how_to_get(name, source, revision, WHAT, error)) from error
    if told["missing_keys"]:
        some = ", ".join(sorted(told["missing_keys"])[:3])
        raise MissingModel(f"the checkpoint {name} is not whole: {len(told['missing_keys'])} weights are missing, among them {some}; fetch it again")
    if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
        raise MissingModel(f"{name} has no processor for pictures and text: a checkpoint of the Qwen3-VL family is needed")
    return Local(model.to(device), processor, checkpoints.maker(source, revision, model.config), at_once)


def answer_ids(tokenizer: Any, maker: str) -> list[list[int]]:
    """Return the tokens that say each digit: alone, or with a space before it where that is one token too.

    Raises:
        MissingModel: a digit is no single token.
    """
    found = []
    for digit in DIGITS:
        spelt = [tokenizer.encode(form + digit, add_special_tokens=False) for form in FORMS]
        ids = sorted({tokens[0] for tokens in spelt if len(tokens) == 1 and tokens[0] != tokenizer.unk_token_id})
        if len(spelt[0]) != 1 or not ids:
            raise MissingModel(f"the tokenizer of {maker} has no single token for `{digit}`: severities are read off the digits 1 to 5, take another model")
        found.append(ids)
    return found


def _passes(questions: Sequence[Question], at_once: int) -> list[list[int]]:
    """Return which questions share a pass: those of like size, and none with a preface beside one without."""
    passes = []
    for prefaced in (False, True):
        order = [at for at, question in enumerate(questions) if bool(question.preface) is prefaced]
        order.sort(key=lambda at: sum(image.size for image in questions[at].images))
        passes += [order[begin : begin + at_once] for begin in range(0, len(order), at_once)]
    return passes


def _talk(question: Question) -> list[dict[str, Any]]:
    """Return a question as a conversation; a preface is how the answer begins."""
    from PIL import Image

    shown = [{"type": "image", "image": Image.fromarray(image)} for image in question.images]
    talk: list[dict[str, Any]] = [{"role": "user", "content": [*shown, {"type": "text", "text": question.text}]}]
    if question.preface:
        talk.append({"role": "assistant", "content": [{"type": "text", "text": question.preface}]})
    return talk
