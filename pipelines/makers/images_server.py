"""Any editor behind an OpenAI-compatible server: `POST /images/edits`, a form with the photo and the prompt, the picture in base64.

OpenAI's own service, vLLM-Omni, SGLang, LocalAI and others speak this protocol, each with fields of its own: `fields` adds to the
form, or takes away with null what a server does not know (`{seed: null, response_format: null}` for OpenAI's GPT Image models).
Photos travel as PNG, for another codec would add what is to be removed.

Calls may cost money. Each answer is kept as it arrives, a refusal by the server's rules like a picture, and what is kept is
never asked for again. A job that is killed cannot know whether the server answered what was under way, at most `at_once` requests
of each worker, and asks for them again: the same form, byte for byte, with the same `Idempotency-Key`, the name of the candidate,
as in every further try. A server or gateway that honours the header makes and bills them once; a 409, the first of them being still
at work, is waited for like a busy server. The key is sent bare, not in quotes as the draft of the header has it.

The key of a server is read from `$PATINA_IMAGES_KEY` and written nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from http import HTTPStatus
from typing import Any

from pydantic import Field, field_validator

from degrade.contract import Srgb
from degrade.errors import BadSample, PatinaError, Reason, RunError
from filters.contract import Settings, Wants
from filters.vlm.line import Line, Refused
from filters.vlm.server import served
from manifests import png
from pipelines.makers import answers
from pipelines.makers.contract import Kind, Maker, Order
from pipelines.makers.unfinished import Unfinished

KEY = "PATINA_IMAGES_KEY"  # environment variable: what the server wants as a bearer token
PATH = "/images/edits"
ONCE = "Idempotency-Key"  # a header: the same request, however often it is sent, is one order
OURS = ("model", "prompt", "image", "n", "size")  # of a form: set by the job or by settings of their own
LONGEST_S = 120.0  # of a wait that the server asks for
FIRST_WAIT_S = 1.0
MOST_BYTES = 256 << 20  # of an answer
POLICY = ("moderation", "contentpolicy", "contentfilter", "safety")  # in the code of an error, without underscores: the server's rules, not our mistake

SIZE = r"^(auto|same|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})?$"
Value = str | int | float | bool | None


class ImagesServerSettings(Settings):
    """Which server, which of its models, and what else goes into the form."""

    url: str = Field(description="where the API begins, e.g. http://127.0.0.1:8000/v1; the key in $PATINA_IMAGES_KEY")
    model: str = Field(min_length=1, description="as the server calls it")
    version: str = Field(default="", description="of the model, where the server does not tell: another word makes all candidates anew")
    size: str = Field(default="", pattern=SIZE, description="WIDTHxHEIGHT, auto, same (as the photo); empty: not sent")
    fields: dict[str, Value] = Field(default_factory=dict, description="further fields of the form; null leaves one out: seed, response_format")
    at_once: int = Field(default=4, ge=1, le=256, description="requests under way, for each worker")
    timeout_s: float = Field(default=300.0, gt=0, description="of one try, from connecting to the last byte of the answer")
    tries: int = Field(default=6, ge=1, le=20, description="of one request, to a busy server")

    @field_validator("fields")
    @classmethod
    def _possible(cls, fields: dict[str, Value]) -> dict[str, Value]:
        for name in fields:
            if name in OURS:
                raise ValueError(f"`{name}` is set by the job or by a setting of its own, not by `fields`")
            if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
                raise ValueError(f"`{name}` is no name of a form's field")
        return fields


class ImagesServer:
    """An editor on a server.

    Args:
        settings: from the recipe.
        first_wait_s: before the second try of a request.

    Raises:
        MissingModel: no server answers there, or it has no such model.
        RecipeError: the address is none.
    """

    def __init__(self, settings: ImagesServerSettings, first_wait_s: float = FIRST_WAIT_S) -> None:
        self._settings = settings
        self._line = Line(
            settings.url, settings.timeout_s, settings.tries, first_wait_s, key=KEY, longest_s=LONGEST_S, most_bytes=MOST_BYTES
        )
        form = {"size": settings.size, **settings.fields}
        told = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(form.items()) if value != "")
        words = [served(self._line, settings.model), settings.version and f"version {settings.version}", told]
        self.name = ", ".join(word for word in words if word) + " on an OpenAI-compatible server"

    def make(self, orders: Sequence[Order]) -> list[Srgb | BadSample]:
        """Return what the server made of the photos; what it refuses by its rules is a BadSample.

        Raises:
            Unfinished: a request failed for good; no more were begun, those under way were waited for.
        """
        made: dict[str, Srgb | BadSample] = {}
        try:
            made.update(self.each(orders))
        except PatinaError as stop:
            raise Unfinished(str(stop), made) from stop
        return [made[order.key] for order in orders]

    def each(self, orders: Sequence[Order]) -> Iterator[tuple[str, Srgb | BadSample]]:
        """Yield what the server made of the photos by key, each as soon as it answers.

        Raises:
            RunError: a request failed for good; no more were begun, those under way were waited for and yielded.
        """
        failed: BaseException | None = None
        with ThreadPoolExecutor(self._settings.at_once, "images") as pool:
            asked = {pool.submit(self._asked, order): order.key for order in orders}
            try:
                for one in as_completed(asked):
                    if one.cancelled():
                        continue
                    if error := one.exception():
                        failed = failed or error
                        _cancel(asked)
                    else:
                        yield asked[one], one.result()
            finally:  # whoever takes the answers may have failed: no more are asked for that nobody would keep
                _cancel(asked)
        if failed is not None:
            raise failed

    def _asked(self, order: Order) -> Srgb | BadSample:
        """Return one candidate."""
        body, media_type = form(self._fields(order), order.key, png.encode(order.pixels, level=2))
        try:
            answer = self._line.send(PATH, body, media_type, {ONCE: order.key})
        except Refused as refusal:
            return _refused(refusal)
        return read_answer(answer, self._line.url)

    def _fields(self, order: Order) -> dict[str, str]:
        """Return the fields of the form besides the photo."""
        size = f"{order.pixels.shape[1]}x{order.pixels.shape[0]}" if self._settings.size == "same" else self._settings.size
        every: dict[str, Value] = {"model": self._settings.model, "prompt": order.prompt, "n": 1, "size": size or None}
        every |= {"seed": order.seed, "response_format": "b64_json", **self._settings.fields}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in sorted(every.items()) if value is not None}


def form(fields: Mapping[str, str], name: str, photo: bytes) -> tuple[bytes, str]:
    """Return a form with a photo (RFC 7578) and its media type; the same for the same arguments.

    Args:
        fields: text by name.
        name: of the photo's file, without its ending.
        photo: PNG.
    """
    parts = [b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (field.encode(), value.encode()) for field, value in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="image"; filename="%b.png"\r\nContent-Type: image/png\r\n\r\n%b' % (name.encode(), photo))
    edge = hashlib.sha256(b"".join(parts)).hexdigest().encode()  # drawn by chance, it would make each try another request
    body = b"".join(b"--%b\r\n%b\r\n" % (edge, part) for part in parts) + b"--%b--\r\n" % edge
    return body, f"multipart/form-data; boundary={edge.decode()}"


def read_answer(answer: Any, url: str) -> Srgb | BadSample:
    """Return the picture in a server's answer; raises RunError where the answer is not of the protocol."""
    try:
        pictures = answer["data"]
        if pictures == []:
            return BadSample(Reason.NO_CANDIDATE, "the server answered without a picture")
        data = base64.b64decode(pictures[0]["b64_json"], validate=True)
    except (KeyError, IndexError, TypeError, binascii.Error) as error:
        some = json.dumps(answer)[:200]
        raise RunError(f"{url} answers without `b64_json`, where pictures are looked for (links are not followed): {some}") from error
    return answers.picture(data, "the server")


def _refused(refusal: Refused) -> BadSample:
    """Return a refusal that is about this photo; raises RunError for one that every photo would meet."""
    try:
        told = json.loads(refusal.body)["error"]
        code, words = " ".join(str(told.get(name) or "") for name in ("code", "type")), str(told.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        code, words = "", ""
    if any(word in code.replace("_", "").lower() for word in POLICY):
        return BadSample(Reason.REFUSED_BY_MAKER, f"{code.split()[0]}: {words}"[:300])
    if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return BadSample(Reason.REFUSED_BY_MAKER, "the photo is larger than the server takes")
    hint = "; a field that it does not know is left out by e.g. `fields: {seed: null}`" if refusal.status in {400, 422} else ""
    raise RunError(f"{refusal}{hint}") from refusal


def _cancel(asked: Iterable[Future[Srgb | BadSample]]) -> None:
    """Take back the requests that have not been sent."""
    for one in asked:
        one.cancel()


def open_maker(settings: ImagesServerSettings, _device: str | None) -> Maker:
    """Open a line to a server; raises MissingModel where nobody answers, or the model is not served."""
    return ImagesServer(settings)


def wants(settings: ImagesServerSettings) -> Wants:
    """Return what a worker takes: next to nothing, and patience."""
    return Wants(batch=settings.at_once, deadline_s=settings.tries * (settings.timeout_s + LONGEST_S))


KIND = Kind("images_server", "an image editor behind an OpenAI-compatible server (/v1/images/edits)", ImagesServerSettings, open_maker, wants)
