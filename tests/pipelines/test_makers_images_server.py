"""An editor on a server: a local one speaks the real protocol, with its bad days."""

from __future__ import annotations

import base64
import email.utils
import time

import numpy as np
import pytest
from pydantic import ValidationError
from stand_in import Editor, said, serving, url

from degrade.errors import BadSample, MissingModel, Reason, RecipeError, RunError
from pipelines.makers import images_server
from pipelines.makers.contract import Order
from pipelines.makers.images_server import KEY, ImagesServer, ImagesServerSettings
from pipelines.makers.unfinished import Unfinished

NAME = Editor.model


@pytest.fixture
def house():
    """A running stand-in."""
    with serving(Editor) as server:
        yield server


def opened(house, **settings: object):
    return ImagesServer(ImagesServerSettings(url=url(house), model=NAME, tries=3, timeout_s=5, **settings), first_wait_s=0.01)


def order(level: int, seed: int = 3, prompt: str = "Remove the haze.") -> Order:
    return Order(f"{level:032x}", np.full((20, 30, 3), level, np.uint8), "haze", prompt, seed)


def test_a_photo_goes_out_and_a_candidate_comes_back(house, astronaut):
    """The form holds the very pixels, the prompt in its own script, model, count and seed; the answer is read back without loss."""
    photo = np.ascontiguousarray(astronaut[:40, :50])
    (made,) = opened(house, size="same", fields={"quality": "high", "steps": 20}).make([Order("ab", photo, "haze", '去除雾霾 "all"\r\n--x', 77)])
    assert (made[1:] == 255 - photo[1:]).all()
    assert (made[0, 0] == 77).all()
    path, _, page = house.seen[0]
    assert path == "/v1/images/edits"
    assert {name: said(part).decode() for name, part in page.items() if name != "image"} == {
        "model": NAME,
        "prompt": '去除雾霾 "all"\r\n--x',
        "n": "1",
        "size": "50x40",
        "seed": "77",
        "response_format": "b64_json",
        "quality": "high",
        "steps": "20",
    }
    assert (page["image"].get_content_type(), page["image"].get_filename()) == ("image/png", "ab.png")


def test_fields_that_a_server_does_not_know_are_left_out(house):
    """Null takes a field away, as OpenAI's GPT Image models ask for; an empty size is not sent."""
    opened(house, fields={"seed": None, "response_format": None}).make([order(9)])
    assert set(house.seen[0].page) == {"model", "prompt", "n", "image"}


def test_candidates_keep_the_order_of_photos(house):
    """However requests overtake each other, every photo gets its own candidate."""
    made = opened(house).make([order(level) for level in (0, 250, 60, 120, 180)])
    assert [int(one[5, 5, 0]) for one in made] == [255, 5, 195, 135, 75]


def test_the_name_tells_what_decides_the_picture(house):
    """Model, the checkpoint behind it, the user's version and the form are in the name; the pace is not."""
    maker = opened(house, version="2", fields={"steps": 20, "seed": None}, at_once=7)
    assert maker.name == f"{NAME} (/models/qwen-edit), version 2, seed=null, steps=20 on an OpenAI-compatible server"


@pytest.mark.parametrize(
    "moods",
    [
        [(429, {"error": {"code": "rate_limit_exceeded"}})],
        [(409, {"error": {"code": "idempotency_key_in_use"}})],
        [(503, b"starting"), (500, b"")],
        [(200, b'{"data": [')],
        [(429, {}, [("Retry-After", "0")]), (429, {}, [("Retry-After", "soon")])],
    ],
    ids=["busy", "at work", "starting", "torn", "named wait"],
)
def test_a_bad_moment_is_waited_out(house, moods):
    """Busy, failing and torn answers are asked again."""
    house.moods[:] = moods
    (made,) = opened(house).make([order(40)])
    assert (made[1:] == 215).all()
    assert len(house.seen) == 1 + len(moods)


def test_every_try_of_a_request_carries_its_candidates_name(house):
    """A server that honours the header makes and bills a candidate once, however often it is asked for."""
    house.moods[:] = [(503, b"starting")]
    opened(house, at_once=1).make([order(40), order(50)])
    first, second = order(40).key, order(50).key
    assert [one.headers["Idempotency-Key"] for one in house.seen] == [first, first, second]


def test_after_a_kill_the_same_request_is_sent_again(house):
    """What a second job asks for under a key is the same form, byte for byte, also where its recipe names the fields in another order."""
    for fields in ({"quality": "high", "steps": 20}, {"steps": 20, "quality": "high"}):
        opened(house, fields=fields).make([order(40)])
    first, again = ([one.headers[name] for name in ("Idempotency-Key", "Content-Type", "Content-Length")] for one in house.seen)
    assert first == again
    first, again = ([(name, part.as_bytes()) for name, part in one.page.items()] for one in house.seen)
    assert first == again


def test_another_request_has_another_form(house):
    """The line between the parts of a form follows from what they hold."""
    opened(house, at_once=1).make([order(40), order(40, seed=4), order(41)])
    assert len({one.headers["Content-Type"] for one in house.seen}) == 3


@pytest.mark.parametrize("by", ["seconds", "date"])
def test_the_wait_that_a_server_names_is_kept(house, by):
    """Retry-After counts, as a number or as a date."""
    until = "1" if by == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)  # dates are whole seconds
    house.moods[:] = [(429, {}, [("Retry-After", until)])]
    maker, begin = opened(house), time.monotonic()
    maker.make([order(40)])
    assert 0.9 < time.monotonic() - begin < 10


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ((400, {"error": {"code": "moderation_blocked", "message": "rejected by the safety system"}}), "moderation_blocked: rejected"),
        ((400, {"error": {"code": "content_policy_violation", "message": "no", "type": "x"}}), "content_policy_violation: no"),
        ((403, {"error": {"code": "contentFilter", "message": "filtered"}}), "contentFilter: filtered"),
        ((413, b"<html>"), "larger than the server takes"),
    ],
)
def test_a_refusal_by_rule_is_about_the_photo(house, mood, says):
    """What a server's rules forbid is kept as a refusal and not asked again; the next photo is."""
    house.moods[:] = [mood]
    refused, made = opened(house, at_once=1).make([order(1), order(2)])
    assert isinstance(refused, BadSample)
    assert refused.reason is Reason.REFUSED_BY_MAKER
    assert says in refused.detail
    assert (made[1:] == 253).all()
    assert len(house.seen) == 2


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ((400, {"error": {"code": "unknown_parameter", "message": "Unknown parameter: 'seed'"}}), r"Unknown parameter: 'seed'.*`fields: \{seed: null\}`"),
        ((400, {"error": "billing hard limit"}), "billing hard limit"),
        ((400, [1]), "refuses the request: 400"),
        ((401, {}), KEY),
        ((404, b"no such path"), "404 no such path"),
        ((200, {"data": [{"url": "https://somewhere/a.png"}]}), "without `b64_json`.*links are not followed"),
        ((200, {"data": [{"b64_json": "?"}]}), "without `b64_json`"),
        ((200, ["no page"]), "without `b64_json`"),
    ],
)
def test_what_every_photo_would_meet_stops_the_job(house, mood, says):
    """A wrong request, key, path or answer is told at once, and asked once."""
    house.moods[:] = [mood]
    with pytest.raises(RunError, match=says):
        opened(house).make([order(1)])
    assert len(house.seen) == 1


@pytest.mark.parametrize("mood", [(200, {"data": []}), (200, {"data": [{"b64_json": base64.b64encode(b"GIF89a").decode()}]})], ids=["none", "no picture"])
def test_an_answer_that_holds_no_picture_is_no_candidate(house, mood):
    """An empty answer, and bytes that are no picture, are refusals of their photo."""
    house.moods[:] = [mood]
    (made,) = opened(house).make([order(1)])
    assert made.reason is Reason.NO_CANDIDATE


def test_what_was_paid_for_is_handed_over_when_the_rest_fails(house):
    """When one request fails for good, the others under way are finished and given out with the error; none is begun after it."""

    def bad(page):
        return (400, {"error": {"code": "bad", "message": "bad"}}) if said(page["seed"]) == b"13" else time.sleep(0.2)

    house.moods[:] = [bad] * 8
    orders = [order(level, seed) for level, seed in ((1, 1), (2, 13), (3, 1), (4, 1), (5, 1), (6, 1))]
    with pytest.raises(Unfinished, match="refuses the request: 400") as stop:
        opened(house, at_once=2).make(orders)
    assert orders[0].key in stop.value.made
    assert orders[1].key not in stop.value.made
    assert len(stop.value.made) == len(house.seen) - 1 < len(orders) - 1


def test_the_key_goes_to_the_server_and_nowhere_else(house, monkeypatch):
    """The key of the environment is sent as a bearer token, and is in no name or message of ours."""
    monkeypatch.setenv(KEY, "open-sesame")
    maker = opened(house)
    house.moods[:] = [(401, {})]
    with pytest.raises(RunError) as refusal:
        maker.make([order(1)])
    assert house.seen[0].headers["Authorization"] == "Bearer open-sesame"
    assert "open-sesame" not in maker.name + str(refusal.value)


def test_an_absent_server_is_named():
    """Nobody at the address: opening says which; one that leaves in mid-run is named after all tries."""
    where = "http://127.0.0.1:9/v1"  # the discard port
    with pytest.raises(MissingModel, match=f"nobody answers at {where}"):
        images_server.open_maker(ImagesServerSettings(url=where, model=NAME), None)


def test_a_server_that_leaves_is_named(house):
    """A server that goes away in mid-run ends in an error with its address after all tries."""
    maker = opened(house)
    maker._line._where = maker._line._where._replace(netloc="127.0.0.1:9")
    with pytest.raises(Unfinished, match=r"/v1/images/edits gave no answer in 3 tries; at last ConnectionRefusedError"):
        maker.make([order(1)])


def test_a_model_that_is_not_served_gets_the_nearest(house):
    """A misspelt model is refused with what the server has."""
    with pytest.raises(MissingModel, match=f"did you mean `{NAME}`"):
        images_server.open_maker(ImagesServerSettings(url=url(house), model="Qwen/Qwen-Image-Edit"), None)


@pytest.mark.parametrize("settings", [{"fields": {"prompt": "x"}}, {"fields": {'a"\r\nb': 1}}, {"size": "big"}, {"feilds": {}}])
def test_settings_are_checked(settings):
    """Fields of the job, names that would break the form, sizes that are none and mistyped keys are refused."""
    with pytest.raises(ValidationError):
        ImagesServerSettings(url="http://127.0.0.1:8000/v1", model=NAME, **settings)


def test_addresses_are_checked():
    """What is no address is refused before anything is sent, and the right key is named."""
    with pytest.raises(RecipeError, match=rf"no address of a server.*\${KEY}"):
        images_server.open_maker(ImagesServerSettings(url="127.0.0.1:8000", model=NAME), None)
