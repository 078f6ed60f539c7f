"""Severities from a server: a local one speaks the real protocol, with its bad days."""

from __future__ import annotations

import math

import numpy as np
import pytest
from stand_in import Judge, serving, url

from degrade.errors import MissingModel, RecipeError, RunError
from filters import severity
from filters.contract import Pair, Photo
from filters.vlm.backend import Question
from filters.vlm.line import KEY, Line
from filters.vlm.server import Server, read_answer

NAME = Judge.model


@pytest.fixture
def house():
    """A running stand-in."""
    with serving(Judge) as server:
        yield server


def opened(house, tries=3):
    return Server(Line(url(house), timeout_s=5, tries=tries, first_wait_s=0.01), NAME, at_once=4)


GREY = Question((np.full((32, 32, 3), 128, np.uint8),), "How strong?")


def test_a_pair_is_scored_by_a_server(house, astronaut):
    """From settings to numbers over the wire: the brighter side is the stronger, in this stand-in's eyes."""
    scorer = severity.open_scorer(severity.SeveritySettings(backend="server", url=url(house), model=NAME), None)
    dark, bright = (Pair(key, "haze", Photo("c", astronaut // 4), Photo("d", side)) for key, side in (("a", astronaut // 4), ("b", 255 - astronaut // 4)))
    first, second = scorer.score([scorer.prepare(dark), scorer.prepare(bright)])
    assert first.numbers["drop"] == pytest.approx(0)
    assert second.numbers["drop"] > 2
    assert second.numbers["answered"] == pytest.approx(0.9)
    assert second.numbers["abstain"] == 0
    assert scorer.maker == f"{NAME} (/models/qwen) on an OpenAI-compatible server"
    assert len(house.seen) == 8  # two pairs, two sides, two wordings
    assert {asked.path for asked in house.seen} == {"/v1/chat/completions"}


def test_pictures_arrive_as_they_are(house, astronaut):
    """What the server decodes are the very pixels, before the text."""
    opened(house).digits([Question((astronaut,), "How strong?")])
    page = house.seen[0].page
    assert np.array_equal(Judge.picture(page), astronaut)
    assert [part["type"] for part in page["messages"][0]["content"]] == ["image_url", "text"]


def test_answers_keep_the_order_of_questions(house):
    """However requests overtake each other, every question gets its own answer."""
    levels = [0, 250, 60, 120, 180, 30, 220]
    questions = [Question((np.full((32, 32, 3), level, np.uint8),), "?") for level in levels]
    told = [logs.argmax() for logs in opened(house).digits(questions)]
    assert told == [round(4 * level / 255) for level in levels]


def test_a_preface_is_a_turn_that_goes_on(house):
    """The beginning of the answer is sent as an unfinished turn of the assistant."""
    opened(house).digits([GREY._replace(preface="Score: ")])
    page = house.seen[0].page
    assert page["messages"][-1] == {"role": "assistant", "content": "Score: "}
    assert (page["continue_final_message"], page["add_generation_prompt"]) == (True, False)


@pytest.mark.parametrize(
    "moods",
    [
        [(429, {"error": "busy"})],
        [(503, b"starting"), (500, b"")],
        [(200, b'{"choices": [')],
        [(429, {}, [("Retry-After", "0")]), (429, {}, [("Retry-After", "soon")])],
        [(429, {}, [("Retry-After", "\xb2")]), (429, {}, [("Retry-After", "Mon, 01 Jan 2026 00:00:00 +99999999999999")])],
    ],
    ids=["busy", "starting", "torn", "named wait", "impossible wait"],
)
def test_a_bad_moment_is_waited_out(house, moods):
    """Busy, failing and torn answers are asked again, and the answer is the same as on a good day."""
    good = opened(house).digits([GREY])[0]
    house.moods[:] = moods
    assert np.array_equal(opened(house).digits([GREY])[0], good)
    assert len(house.seen) == 2 + len(moods)


def test_patience_ends(house):
    """A server that stays busy is named after so many tries, with what it said last."""
    house.moods[:] = [(429, {"error": "too many requests"})] * 3
    with pytest.raises(RunError, match=r"chat/completions gave no answer in 3 tries; at last it answers 429 .*too many requests"):
        opened(house).digits([GREY])


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ((400, {"error": "image too large"}), "refuses the request: 400 .*image too large"),
        ((401, {}), KEY),
        ((200, {"choices": [{"message": {"content": "3"}, "logprobs": None}]}), "without log-probabilities"),
        ((200, {"choices": []}), "without log-probabilities"),
        ((200, ["no page"]), "without log-probabilities"),
    ],
)
def test_what_would_be_said_again_is_not_asked_again(house, mood, says):
    """A refusal, or an answer of the wrong form, stops at once with the reason."""
    server = opened(house)
    house.moods[:] = [mood]
    with pytest.raises(RunError, match=says):
        server.digits([GREY])
    assert len(house.seen) == 1


def test_digits_that_are_not_told_count_as_none():
    """What is missing among the likeliest has no weight; forms of one digit add up; other tokens are left out."""
    top = [{"token": token, "logprob": math.log(share)} for token, share in (("2", 0.5), (" 2", 0.1), ("\u01203", 0.2), ("22", 0.1), ("two", 0.05))]
    logs = read_answer({"choices": [{"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}]}, "here")
    assert np.exp(logs) == pytest.approx([0, 0.6, 0.2, 0, 0])


@pytest.mark.parametrize("log", [0.5, float("nan")])
def test_log_probabilities_must_be_some(log):
    """A probability above 1, or none, is refused."""
    with pytest.raises(RunError, match="that are none"):
        read_answer({"choices": [{"logprobs": {"content": [{"token": "1", "logprob": log, "top_logprobs": []}]}}]}, "here")


def test_the_key_goes_to_the_server_and_nowhere_else(house, monkeypatch):
    """The key of the environment is sent as a bearer token, and is in no name or message of ours."""
    monkeypatch.setenv(KEY, "open-sesame")
    server = opened(house)
    house.moods[:] = [(401, {})]
    with pytest.raises(RunError) as refusal:
        server.digits([GREY])
    assert house.seen[0].headers["Authorization"] == "Bearer open-sesame"
    assert "open-sesame" not in server.maker + str(refusal.value)


def test_an_absent_server_is_named(house):
    """Nobody at the address: the message has the address and what to start."""
    where = url(house).replace(str(house.server_address[1]), "9")  # the discard port
    with pytest.raises(MissingModel, match=rf"nobody answers at {where}.*vllm serve"):
        severity.open_scorer(severity.SeveritySettings(backend="server", url=where), None)


@pytest.mark.parametrize(
    ("hall", "made"),
    [([(404, {})], NAME), ([(503, b"loading")], f"{NAME} (/models/qwen)"), ([(200, b"{"), (200, b"[")], f"{NAME} (/models/qwen)")],
    ids=["no list", "starting", "torn"],
)
def test_a_server_may_have_no_list_or_be_starting(house, hall, made):
    """Without a list of models the name is believed; a server that is starting, or stumbles, is asked again."""
    house.hall[:] = hall
    assert opened(house).maker == f"{made} on an OpenAI-compatible server"


def test_another_site_is_no_server(house):
    """A page that is no JSON is not taken for a list of models, however often it is asked for."""
    house.hall[:] = [(200, b"<html>")] * 3
    with pytest.raises(RunError, match=r"v1/models gave no answer in 3 tries; at last JSONDecodeError"):
        opened(house)


def test_a_server_that_leaves_is_named(house):
    """A server that goes away in mid-run ends in an error with its address after all tries."""
    server = opened(house)
    server._line = Line("http://127.0.0.1:9/v1", tries=2, first_wait_s=0.01)
    with pytest.raises(RunError, match=r"127\.0\.0\.1:9.*in 2 tries.*refused"):
        server.digits([GREY])


def test_a_model_that_is_not_served_gets_the_nearest(house):
    """A misspelt model is refused with what the server has."""
    with pytest.raises(MissingModel, match=rf"did you mean `{NAME}`"):
        severity.open_scorer(severity.SeveritySettings(backend="server", url=url(house), model="Qwen/Qwen3-VL-8B-instruct"), None)


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host/v1", "http://me:secret@host/v1", "http://"])
def test_addresses_are_checked(address):
    """What is no plain http address is refused before anything is sent."""
    with pytest.raises(RecipeError, match="no address of a server"):
        Line(address)
