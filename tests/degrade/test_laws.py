"""Laws over the whole table: whatever is registered obeys them, the next degradation too."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_scene import draw, launch, run, scene_of

import degrade
from degrade import camera, chain
from degrade.contract import STRATA, Assets, Encoded, Generator, Stage
from degrade.errors import BadSample, Reason
from degrade.record import from_record, to_record
from degrade.stream import stream

TABLE = pytest.mark.parametrize("generator", degrade.GENERATORS, ids=degrade.NAMES)
few = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("generator", [one for one in degrade.GENERATORS if one.takes_srgb], ids=lambda one: one.name)
@few
@given(seed=seeds, stratum=st.integers(1, STRATA))
def test_a_photo_as_shown_gives_the_bytes_of_its_light(generator, seed, stratum):
    """What a sensor takes without the way through linear light changes no byte."""
    params, scene = draw(generator, seed, stratum), launch()
    light = camera.to_linear(scene.clean)
    shown, lit = (generator.render(picture, params, scene.assets) for picture in (scene.clean, light))
    assert np.array_equal(shown.pixels, lit.pixels)
    assert shown.data == lit.data


@TABLE
@few
@given(seed=seeds, stratum=st.integers(1, STRATA))
def test_size_and_type_are_kept_and_the_input_is_untouched(generator, seed, stratum):
    """The degraded side is uint8 RGB of the clean side's size, and the clean side is as it was."""
    before = launch().clean.copy()
    made = run(generator, draw(generator, seed, stratum)).pixels
    assert made.shape == before.shape
    assert made.dtype == np.uint8
    assert made.flags.c_contiguous
    assert np.array_equal(launch().clean, before)


@TABLE
@few
@given(seed=seeds, stratum=st.integers(1, STRATA))
def test_params_decide_the_bytes_also_after_a_round_trip_through_json(generator, seed, stratum):
    """The same row gives the same bytes, today and from its record."""
    params = draw(generator, seed, stratum)
    read = from_record(generator.params, json.loads(json.dumps(to_record(params))))
    assert read == params
    first, second = run(generator, params), run(generator, read)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.data == second.data


@TABLE
@few
@given(seed=seeds, stratum=st.integers(1, STRATA))
def test_what_is_drawn_lies_in_the_stratum_that_was_asked_for(generator, seed, stratum):
    """Severity in its physical unit and the stratum agree, and the seed decides the draw."""
    params = draw(generator, seed, stratum)
    severity = generator.severity(params)
    low, high = generator.band(stratum)
    assert low * (1 - 1e-9) <= severity <= high * (1 + 1e-9)
    assert params == draw(generator, seed, stratum)
    assert params != draw(generator, seed, stratum, key="another photo")


@TABLE
def test_no_global_random_state_is_read_or_moved(generator):
    """Drawing and rendering leave every library's global generator alone, and do not listen to it."""
    pictures = []
    for global_seed in (1, 2):
        random.seed(global_seed)
        np.random.seed(global_seed)  # the global state is what this law is about
        cv2.setRNGSeed(global_seed)
        before = random.getstate(), np.random.get_state()[1].tolist(), cv2.randu(np.zeros(4, np.float32), 0, 1).tolist()
        cv2.setRNGSeed(global_seed)
        pictures.append(run(generator, draw(generator, 5, 4)).pixels)
        assert before == (random.getstate(), np.random.get_state()[1].tolist(), cv2.randu(np.zeros(4, np.float32), 0, 1).tolist())
    assert np.array_equal(*pictures)


@TABLE
def test_thread_count_does_not_change_the_bytes(generator):
    """OpenCV with one thread and with four gives the same picture."""
    params = draw(generator, 11, 3)
    made = []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        made.append(run(generator, params).pixels)
    cv2.setNumThreads(1)
    assert np.array_equal(*made)


def leaves(params: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every single value of a record with its path."""
    items = params.items() if isinstance(params, dict) else enumerate(params) if isinstance(params, list) else ()
    if not isinstance(params, (dict, list)):
        yield path, params
    for key, value in items:
        yield from leaves(value, (*path, key))


def name_of(path: tuple[Any, ...]) -> str:
    """Return a parameter's name: places in a list do not make another parameter."""
    return ".".join(str(part) for part in path if not isinstance(part, int))


class Drawn(NamedTuple):
    """A value, and the record that it is a field of."""

    value: Any
    siblings: dict[str, Any]


def at(record: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path."""
    return functools.reduce(lambda place, part: place[part], path, record)


def swapped(record: Any, path: tuple[Any, ...], drawn: Drawn) -> Iterator[Any]:
    """Yield records in which one value stands for another; a word that decides what its siblings mean brings them along."""
    field = next(at for at in range(len(path) - 1, -1, -1) if isinstance(path[at], str))
    for siblings in ({path[field]: drawn.siblings[path[field]]}, drawn.siblings if isinstance(drawn.value, str) else {}):
        copy = json.loads(json.dumps(record))
        at(copy, path[:field]).update(siblings)
        yield copy


def _differs(generator: Generator[Any, Any], record: Any, first: Encoded) -> bool:
    """Whether a record gives other bytes; one that no draw could have made does not count."""
    try:
        made = run(generator, from_record(generator.params, record))
    except (ValueError, KeyError, BadSample):
        return False
    return made.data != first.data or not np.array_equal(made.pixels, first.pixels)


@TABLE
def test_every_parameter_changes_the_picture(generator):
    """For each parameter there is a draw in which another draw's value of it gives other bytes."""
    records = [to_record(draw(generator, seed, 1 + seed % STRATA)) for seed in range(40)]
    values: dict[str, list[Drawn]] = {}
    for record in records:
        for path, value in leaves(record):
            if value is not None and value not in [drawn.value for drawn in values.setdefault(name_of(path), [])]:
                field = next(at for at in range(len(path) - 1, -1, -1) if isinstance(path[at], str))
                values[name_of(path)].append(Drawn(value, at(record, path[:field])))
    idle = {name for name, drawn in values.items() if len(drawn) > 1}
    for record in records:
        first = run(generator, from_record(generator.params, record))
        for path, value in leaves(record):
            name = name_of(path)
            if name not in idle:
                continue
            others = [drawn for drawn in values[name] if drawn.value != value][:6]
            if any(_differs(generator, new, first) for other in others for new in swapped(record, path, other)):
                idle.discard(name)
        if not idle:
            return
    assert not idle, f"{generator.name}: these parameters change nothing: {sorted(idle)}"


@TABLE
def test_no_parameter_is_a_constant(generator):
    """Every parameter takes more than one value over a hundred draws: a constant belongs in the code."""
    seen: dict[str, set[str]] = {}
    for seed in range(100):
        for path, value in leaves(to_record(draw(generator, seed, 1 + seed % STRATA))):
            if value is not None:  # a branch that was not taken has no parameters
                seen.setdefault(name_of(path), set()).add(repr(value))
    assert not [name for name, drawn in seen.items() if len(drawn) == 1]


@TABLE
def test_similarity_falls_as_severity_rises(generator):
    """Averaged over draws, each stratum is farther from clean than the one before; the first is mild."""
    level = [
        np.mean([min(60.0, cv2.PSNR(launch().clean, run(generator, draw(generator, seed, stratum)).pixels)) for seed in range(12)])
        for stratum in range(1, STRATA + 1)
    ]
    assert all(before > after for before, after in itertools.pairwise(level)), level
    assert level[0] > 25.0


@TABLE
@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (131, 64)])
@pytest.mark.parametrize("fill", [0, 255, None])
def test_odd_sizes_and_flat_pictures_are_survived(generator, shape, fill):
    """Black, white and random pictures of odd sizes come through at every stratum."""
    rng = np.random.default_rng(1)
    clean = rng.integers(0, 256, (*shape, 3), dtype=np.uint8) if fill is None else np.full((*shape, 3), fill, np.uint8)
    scene = scene_of(clean)
    for stratum in range(1, STRATA + 1):
        try:
            assert run(generator, draw(generator, stratum, stratum), scene).pixels.shape == clean.shape
        except BadSample as bad:  # a flat picture shows no reflection that is worth having
            if bad.reason is not Reason.NO_USABLE_MIXTURE:
                raise


@TABLE
def test_missing_priors_are_an_error_not_a_fallback(generator):
    """A generator that needs a map of the scene says so when it is not there."""
    facts = dataclasses.replace(launch().facts, textures=0)
    params = generator.sample(stream(1, generator.name, "law"), generator.ranges(), facts, 3)
    bare = launch()._replace(assets=Assets())
    if not generator.needs:
        assert run(generator, params, bare).pixels.size
        return
    with pytest.raises(ValueError, match="|".join(generator.needs)):
        run(generator, params, bare)


@TABLE
def test_a_record_of_another_shape_is_refused(generator):
    """A missing and an unknown field are errors."""
    record = to_record(draw(generator, 1))
    with pytest.raises(ValueError, match="fields"):
        from_record(generator.params, {**record, "sharpness_of_mind": 1})
    with pytest.raises(ValueError, match="fields"):
        from_record(generator.params, dict(list(record.items())[1:]))


@TABLE
def test_drawing_is_fast_enough_for_the_plan(generator):
    """A draw with its stream takes about the 50 us of CPU that a row may, whatever else the machine does."""
    import time

    ranges, facts, best = generator.ranges(), launch().facts, 1.0
    for _ in range(5):
        begin = time.process_time()
        for at in range(200):
            generator.sample(stream(1, generator.name, str(at)), ranges, facts, 1 + at % STRATA)
        best = min(best, (time.process_time() - begin) / 200)
    assert best < 120e-6


def test_composites_render_in_physical_order():
    """Whatever order steps are given in, haze is before noise is before compression, with the same bytes."""
    steps = [chain.Step(degrade.by_name(name), draw(degrade.by_name(name), 3)) for name in ("compression", "haze", "noise")]
    made = [chain.render(launch().clean, order, launch().assets) for order in (steps, steps[::-1])]
    assert np.array_equal(made[0].pixels, made[1].pixels)
    stages = [step.generator.stage for step in chain.in_order(steps[::-1])]
    assert stages == sorted(stages)
    assert made[0].data == made[1].data


def test_the_table_and_the_files_agree():
    """A generator stands in the file of its name, and its stage is one that the chain knows."""
    for made in degrade.GENERATORS:
        assert made is __import__(f"degrade.{made.name}", fromlist=["GENERATOR"]).GENERATOR
        assert made.stage in Stage
        assert sorted(degrade.NAMES) == list(degrade.NAMES)
