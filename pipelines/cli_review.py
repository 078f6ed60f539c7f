"""The command `patina review`: which pairs go to people, how far they have come, and which limits their decisions speak for."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from pipelines.cli_options import Json, RunFolder


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(review)


def review(
    run: RunFolder,
    borderline: Annotated[int, typer.Option("--borderline", help="So many pairs nearest to the limits, from both sides.")] = 100,
    sample: Annotated[int, typer.Option("--sample", help="And so many at random of those that the limits keep.")] = 50,
    reviewers: Annotated[int, typer.Option("--reviewers", help="How many must accept or reject before a pair is decided, e.g. 3.")] = 1,
    status: Annotated[bool, typer.Option("--status", help="Instead, tell who has said how much, and how far people agree.")] = False,
    suggest: Annotated[bool, typer.Option("--suggest", help="Instead, print the limits that the decisions speak for, to be pasted into a recipe.")] = False,
    precision: Annotated[float | None, typer.Option("--precision", help="With --suggest: least share of accepted pairs among those kept, e.g. 0.95.")] = None,
    as_json: Json = False,
) -> None:
    """Choose the pairs that people should look at; `patina inspect RUN` then asks about them, and `patina select RUN` obeys."""
    from degrade.errors import RecipeError
    from pipelines.run import load, locked

    if status and suggest:
        raise RecipeError("say which: --status or --suggest")
    if precision is not None and not (suggest and 0 < precision <= 1):
        raise RecipeError("--precision is a share above 0, up to 1, and goes with --suggest")
    opened = load(run)
    if status:
        _tell_status(opened, as_json)
    elif suggest:
        _tell_suggestions(opened, precision, as_json)
    else:
        from pipelines import review as verb

        with locked(run):
            made = verb.ask(opened, borderline, sample, reviewers)
        if as_json:
            print(json.dumps({"pairs": len(made.pairs), "reviewers": made.reviewers}))
        else:
            print(f"{len(made.pairs)} pairs to review, {_many(reviewers, 'reviewer')} each: `patina inspect {run}`, and there the key N")


def _tell_status(run: Any, as_json: bool) -> None:
    from pipelines import review as verb

    told = verb.status(run)
    if as_json:
        print(json.dumps(verb.as_json(told), ensure_ascii=False))
        return
    words = {"accept": "accepted", "reject": "rejected", "pending": "pending"}
    agreed, decided = told.agreement, [f"{told.decided[word]} {ended}" for word, ended in words.items()]
    print(f"queue     {told.pairs} pairs, {_many(told.reviewers, 'reviewer')} each: {', '.join(decided)}")
    for name, counts in agreed.reviewers.items():
        print(f"{name:<9} {', '.join(f'{count} {decision}' for decision, count in sorted(counts.items()))}; {told.left[name]} of the queue left")
    if agreed.pairs:
        alpha = "" if agreed.alpha is None else f", Krippendorff's alpha {agreed.alpha:.2f}"
        print(f"agreement {agreed.agreed} of {agreed.pairs} pairs that two or more have judged{alpha}")


def _tell_suggestions(run: Any, precision: float | None, as_json: bool) -> None:
    from pipelines import suggest as verb

    found = verb.suggest(run, precision)
    if as_json:
        print(json.dumps([made._asdict() for made in found]))
    elif found:
        print(verb.as_yaml(found))
    else:
        print(f"# no number has {verb.LEAST} decided pairs, {verb.LEAST_EACH} of them accepted and {verb.LEAST_EACH} rejected: review more")


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
