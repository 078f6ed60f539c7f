"""Any model behind an OpenAI-compatible server: `POST /chat/completions` for one token, with the log-probabilities beside it.

vLLM, SGLang and others speak this protocol. The server tells the 20 likeliest tokens; a digit that is not among them has
next to no weight and counts as none. Pictures travel as PNG: another codec would add just what is asked about. The key of
a server is read from `$PATINA_VLM_KEY` and written nowhere.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from degrade.contract import Srgb
from degrade.errors import MissingModel, RunError
from degrade.keys import nearest
from filters.vlm.backend import DIGITS, FORMS, LogDigits, Question
from filters.vlm.line import Line, Refused

TOP = 20  # the most that the protocol allows
SPACES = {"\u2581": " ", "\u0120": " "}  # how vocabularies write a space, where a server does not translate


class Server:
    """A model on a server.

    Args:
        line: to the server.
        model: as the server calls it.
        at_once: requests under way at the same time.

    Raises:
        MissingModel: no server answers there, or it has no such model.
    """

    def __init__(self, line: Line, model: str, at_once: int) -> None:
        self._line, self._model, self._at_once = line, model, at_once
        self.maker = f"{served(line, model)} on an OpenAI-compatible server"

    def digits(self, questions: Sequence[Question]) -> list[LogDigits]:
        """Return the log-probabilities of the five digits, question by question.

        Raises:
            RunError: the server went away, refuses, or answers without log-probabilities.
        """
        pictures = {id(image): image for question in questions for image in question.images}
        with ThreadPoolExecutor(self._at_once, "vlm") as pool:
            urls = dict(zip(pictures, pool.map(data_url, pictures.values()), strict=True))
            pages = [self._page(question, [urls[id(image)] for image in question.images]) for question in questions]
            return list(pool.map(self._asked, pages))

    def _page(self, question: Question, urls: list[str]) -> dict[str, Any]:
        """Return the request."""
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        talk: list[dict[str, Any]] = [{"role": "user", "content": [*shown, {"type": "text", "text": question.text}]}]
        goes_on = {}
        if question.preface:
            talk.append({"role": "assistant", "content": question.preface})
            goes_on = {"add_generation_prompt": False, "continue_final_message": True}
        asked = {"max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": TOP}
        return {"model": self._model, "messages": talk, **asked, **goes_on}

    def _asked(self, page: dict[str, Any]) -> LogDigits:
        return read_answer(self._line.post("/chat/completions", page), self._line.url)


def data_url(pixels: Srgb) -> str:
    """Return a picture as a data URL, losslessly."""
    coded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    return "data:image/png;base64," + base64.b64encode(coded.tobytes()).decode()


def read_answer(answer: Any, url: str) -> LogDigits:
    """Return the log-probabilities of the five digits from a server's answer; raises RunError for one that holds none."""
    try:
        first = answer["choices"][0]["logprobs"]["content"][0]
        told = {(one["token"]): float(one["logprob"]) for one in [first, *first["top_logprobs"]]}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        some = json.dumps(answer)[:200]
        raise RunError(f"{url} answers without log-probabilities, which severities are read off (vLLM and SGLang give them): {some}") from error
    if any(math.isnan(log) or log > 1e-3 for log in told.values()):
        raise RunError(f"{url} gives log-probabilities that are none: {told}")
    found = np.full(len(DIGITS), -np.inf)
    for token, log in told.items():
        plain = SPACES.get(token[:1], token[:1]) + token[1:]
        for at, digit in enumerate(DIGITS):
            if plain in {form + digit for form in FORMS}:
                found[at] = np.logaddexp(found[at], log)
    return np.minimum(found, 0.0)


def served(line: Line, model: str) -> str:
    """Return the model as the server names it, with the checkpoint behind the name if it tells; raises MissingModel."""
    try:
        told = line.get("/models")
    except Refused as refusal:
        if refusal.status in {404, 405}:  # a server without a list: the first question will show
            return model
        raise
    listed = {str(one.get("id")): one for one in told.get("data", []) if isinstance(one, dict)} if isinstance(told, dict) else {}
    if listed and model not in listed:
        raise MissingModel(f"{line.url} has no model `{model}`; {nearest(model, listed)}")
    root = listed.get(model, {}).get("root")
    return f"{model} ({root})" if root and root != model else model
