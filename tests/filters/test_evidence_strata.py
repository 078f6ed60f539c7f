"""Evidence on pairs as jobs make them, from real photos: strength rises with severity, and edited clean sides are told."""

from __future__ import annotations

import pytest

from benchmarks import evidence_table
from filters.evidence import OPERATORS
from pipelines.single import open_photo

pytestmark = pytest.mark.slow
PHOTOS = (
    *("architecture_sky", "beach_rob_bye", "cars_street_dusk", "lake_village_depth4", "lighthouse_dusk_william_bout"),
    *("mountain_ryan_schroeder", "night_neon_city", "rocks_victor_svistunov", "street_london", "sunflowers_sky"),
)


@pytest.fixture(scope="module")
def pairs(data, tmp_path_factory) -> list[evidence_table.Judged]:
    """All degradations at all strata on ten photos that show distance, for haze and rain want it."""
    paths = evidence_table.squares([data / "clean" / f"{name}.jpg" for name in PHOTOS], tmp_path_factory.mktemp("squares"), 512)
    return list(evidence_table.judged([open_photo(path) for path in paths], tuple(OPERATORS)))


@pytest.mark.parametrize("task", OPERATORS)
def test_strength_rises_with_the_stratum(task, pairs):
    """Rank correlation of strength and severity stratum is 0.8 at least, pooled over photos."""
    own = [pair for pair in pairs if pair.task == task]
    assert len(own) >= 20
    assert evidence_table.rank_correlation(own) >= 0.8


@pytest.mark.parametrize("edit", evidence_table.EDITS)
@pytest.mark.parametrize("task", OPERATORS)
def test_edited_clean_sides_are_told_from_true_ones(task, edit, pairs):
    """A square painted anew, a shift of 4 px, a turn of hue: each looks less true than true pairs with a probability of 0.85 at least."""
    assert evidence_table.separation([pair for pair in pairs if pair.task == task], edit) >= 0.85
