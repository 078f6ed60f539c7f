"""Qwen3-VL by transformers, on this machine: one forward pass, read at the one place where the answer begins.

Only the last hidden state meets the output layer (what `logits_to_keep=1` does), and the rows of the digits do so in float32:
bfloat16 keeps 8 bits, which would round a logit near 20 to eighths and a probability by several per cent. The checkpoints that
answer at once are the Instruct ones; one that thinks first gives no digit here, and abstains.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from degrade.contract import Srgb
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
NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")  # what torch calls the instructions of x86-64 and Arm


class _Look(NamedTuple):
    """Some pictures, and what is asked about them."""

    images: tuple[Srgb, ...]
    head: str  # the conversation up to the last picture
    tails: list[str]  # what follows it, question by question
    places: list[int]  # of the questions among all


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

        Questions about the same pictures (the same arrays) share the reading of them, which is most of the work. Looks of like size
        share a pass, so that little is padded. In float32 a batch gives what each question gives alone to 1e-4; in bfloat16 to about
        0.02, and `torch.cuda.OutOfMemoryError` is the caller's, who knows how to halve a batch.
        """
        import torch

        found: dict[int, LogDigits] = {}
        for looks in _passes(self._looks(questions), self.at_once):
            with torch.inference_mode():
                told = self._read(self._ends(looks))
            found.update(zip((at for look in looks for at in look.places), told, strict=True))
        return [found[at] for at in range(len(questions))]

    def inputs(self, questions: Sequence[Question]) -> Any:
        """Return what the model takes for whole questions, on its device: tokens padded on the left, and patches."""
        return self._packed([self._said(question) for question in questions], [question.images for question in questions])

    def _looks(self, questions: Sequence[Question]) -> list[_Look]:
        """Return the questions by what they are about, each cut behind its last picture."""
        found: dict[tuple[Any, ...], list[_Look]] = {}
        for at, question in enumerate(questions):
            text = self._said(question)
            cut = _behind(text, self.processor.image_token, len(question.images))
            looks = found.setdefault((text[:cut], *map(id, question.images)), [])
            if not looks or len(looks[-1].tails) == self.at_once:
                looks.append(_Look(question.images, text[:cut], [], []))
            looks[-1].tails.append(text[cut:])
            looks[-1].places.append(at)
        return [look for looks in found.values() for look in looks]

    def _said(self, question: Question) -> str:
        """Return a question as the model reads it, a mark for every picture; a preface is how the answer begins."""
        talk: list[dict[str, Any]] = [{"role": "user", "content": [*({"type": "image"} for _ in question.images), {"type": "text", "text": question.text}]}]
        if question.preface:
            talk.append({"role": "assistant", "content": [{"type": "text", "text": question.preface}]})
        goes_on = bool(question.preface)
        said: str = self.processor.apply_chat_template(talk, tokenize=False, add_generation_prompt=not goes_on, continue_final_message=goes_on)
        return said

    def _packed(self, texts: list[str], pictures: list[tuple[Srgb, ...]]) -> Any:
        """Return texts with their pictures as the model takes them."""
        shown = [[np.array(image) for image in images] for images in pictures]  # copies: torch takes no array that must not be written
        packed = self.processor(text=texts, images=shown, padding=True, return_tensors="pt", images_kwargs={"device": str(self.model.device)})
        return packed.to(self.model.device)

    def _ends(self, looks: list[_Look]) -> Any:
        """Return the last hidden state of every question, NxC."""
        import torch

        model = self.model.base_model
        if all(len(look.tails) == 1 for look in looks):
            whole = self._packed([look.head + look.tails[0] for look in looks], [look.images for look in looks])
            return model(**whole, use_cache=False).last_hidden_state[:, -1]
        heads = self._packed([look.head for look in looks], [look.images for look in looks])
        memory = model(**heads, use_cache=True).past_key_values
        tails = self.processor.tokenizer([tail for look in looks for tail in look.tails], padding=True, add_special_tokens=False, return_tensors="pt")
        tails = tails.to(self.model.device)
        owner = torch.tensor([at for at, look in enumerate(looks) for _ in look.tails], device=self.model.device)
        memory.batch_select_indices(owner)
        there = torch.cat([heads["attention_mask"][owner], tails["attention_mask"]], 1)
        count = tails["input_ids"].shape[1]
        steps = there.cumsum(1)[:, -count:] - 1 + model.rope_deltas[owner]  # a picture's tokens count as its longer side (M-RoPE)
        places = steps.expand(3, *steps.shape)
        return model(tails["input_ids"], there, places, memory, use_cache=True).last_hidden_state[:, -1]

    def _read(self, ends: Any) -> list[LogDigits]:
        """Return the digits' log-probabilities where answers begin."""
        import torch

        head = self.model.get_output_embeddings()
        every = head(ends).float().logsumexp(-1, keepdim=True)
        ids = torch.tensor([token for tokens in self._ids for token in tokens], device=ends.device)
        logs = (torch.nn.functional.linear(ends.float(), head.weight[ids].float()) - every).double().cpu().numpy()
        edges = np.cumsum([0, *map(len, self._ids)])
        return [np.array([np.logaddexp.reduce(row[begin:end]) for begin, end in itertools.pairwise(edges)]) for row in logs]


def open_local(name: str, device: str | None, at_once: int, precision: str = "auto") -> Local:
    """Open a checkpoint of the Qwen3-VL family.

    Args:
        name: a short name of `NAMES`, a hub id, optionally with `@revision`, or a folder.
        device: a torch device; by default the first GPU, else the CPU.
        at_once: questions per forward pass.
        precision: `bfloat16`, `float32`, or `auto`: bfloat16 on a GPU, and on a processor that computes in it (AVX-512 BF16, AMX,
            Arm) where the weights are stored in it, which halves memory and time; else float32.

    Raises:
        MissingModel: unknown name, checkpoint not on this machine or not whole, or a library missing; says what to run.
    """
    torch, transformers = (checkpoints.library(library, "vision-language models", "vlm") for library in ("torch", "transformers"))
    source, revision = checkpoints.source(name, NAMES, WHAT)
    revision = revision or PINNED.get(source)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    options: dict[str, Any] = {**checkpoints.LOCAL, "revision": revision}
    door = transformers.AutoModelForImageTextToText
    try:
        processor = transformers.AutoProcessor.from_pretrained(source, **options)
        dtype = _precision(precision, device, transformers.AutoConfig.from_pretrained(source, **options))
        model, told = door.from_pretrained(source, dtype=dtype, use_safetensors=True, output_loading_info=True, **options)
    except (OSError, ValueError, KeyError) as error:
        raise MissingModel(checkpoints.how_to_get(name, source, revision, WHAT, error)) from error
    if told["missing_keys"]:
        some = ", ".join(sorted(told["missing_keys"])[:3])
        raise MissingModel(f"the checkpoint {name} is not whole: {len(told['missing_keys'])} weights are missing, among them {some}; fetch it again")
    if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
        raise MissingModel(f"{name} has no processor for pictures and text: a checkpoint of the Qwen3-VL family is needed")
    made_by = f"{checkpoints.maker(source, revision, model.config)}, {str(dtype).removeprefix('torch.')}"
    return Local(model.to(device), processor, made_by, at_once)


def _precision(asked: str, device: str, config: Any) -> Any:
    """Return the torch dtype of the arithmetic."""
    import torch

    if asked != "auto":
        return getattr(torch, asked)
    stored = config.dtype or config.get_text_config().dtype
    on_cpu = stored == torch.bfloat16 and native_bfloat16()
    return torch.bfloat16 if device.startswith("cuda") or on_cpu else torch.float32


def native_bfloat16() -> bool:
    """Tell whether this processor computes in bfloat16; not known, and taken as no, with a torch older than its `cpu.get_capabilities`."""
    import torch

    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(able.get(word, False) for word in NATIVE_BFLOAT16)


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


def _passes(looks: list[_Look], at_once: int) -> Iterator[list[_Look]]:
    """Yield the looks that share a pass: of like size, and together no more questions than `at_once`."""
    pending: list[_Look] = []
    for look in sorted(looks, key=lambda look: sum(image.size for image in look.images)):
        if pending and sum(len(one.tails) for one in (*pending, look)) > at_once:
            yield pending
            pending = []
        pending.append(look)
    if pending:
        yield pending


def _behind(text: str, mark: str, count: int) -> int:
    """Return where a text goes on behind the marks of its pictures."""
    at = 0
    for _ in range(count):
        at = text.index(mark, at) + len(mark)
    return at
