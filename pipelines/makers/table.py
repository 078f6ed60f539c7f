"""The kinds of makers, as a recipe names them."""

from __future__ import annotations

from degrade.keys import nearest
from pipelines.makers import burst, command, editor, images_server, network, paired
from pipelines.makers.contract import Kind

KINDS: tuple[Kind, ...] = (
    burst.KIND,
    command.KIND,
    editor.KIND,
    images_server.KIND,
    network.KIND,
    paired.KIND,
)
NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


def by_name(name: str) -> Kind:
    """Return a kind of maker; raises ValueError with the nearest name."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise ValueError(f"no kind of maker `{name}`; {nearest(name, NAMES)}")
