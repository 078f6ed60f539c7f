"""The command `patina fetch`: photos of a list of URLs, with their licences, into a folder that is a source for recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli_options import Json

CLOSED, OPEN = 0, 1


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(fetch)


def fetch(
    page: Annotated[str, typer.Argument(metavar="LIST", help=".parquet, .csv, .jsonl with a URL column and others (licence, date...), or .txt.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the photos: new, empty, or one to go on with.")],
    column: Annotated[str | None, typer.Option("--column", help="That names the URL; default url, URL, uri or image_url.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="Requests at once, over all sites.")] = 16,
    per_host: Annotated[int, typer.Option("--per-host", min=1, max=16, help="Requests at once to one site.")] = 2,
    pause: Annotated[float, typer.Option("--pause", min=0, help="Seconds between two requests to one site.")] = 0.2,
    contact: Annotated[str, typer.Option("--contact", help="Mail or page by which a site's owner reaches you; goes into the User-Agent.")] = "",
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, max=1024, help="MiB that a photo may have.")] = 64,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="That an answer may take to come whole; one redirect is one answer.")] = 60.0,
    http: Annotated[bool, typer.Option("--http", help="Follow unprotected http as well.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Ask again for what was unreachable, slow or broken off; nothing that came is asked again.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch the photos of a list of URLs, politely and with care; run it again to go on where it stopped."""
    from pipelines import fetch as verb
    from pipelines.run import locked
    from pipelines.web.reader import Limits, Reader
    from pipelines.web.turns import Manners

    reader = Reader(Limits(max_bytes=max_mb << 20, total_s=seconds, http=http), contact)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        books = verb.fetch(page, out, reader, Manners(per_host=per_host, pause_s=pause), workers, column, retry=retry)
    if as_json:
        print(json.dumps({"out": str(out), **books.as_json()}))
    else:
        print(books)
        print(f"{books.bytes / 1e6:.1f} MB; {out / 'fetched.parquet'} says what became of every URL; use it with --input {out}")
        if books.passing:
            print(f"{books.passing} refusals may pass: --retry asks those again")
    raise typer.Exit(CLOSED if books.closed else OPEN)
