"""Union and find, and families of photos."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from filters.duplicates import Standing, best, families
from filters.near.clusters import Clusters

LINKS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14)


def by_walking(links: list[tuple[int, int]]) -> list[int]:
    """The smallest thing that can be reached from each, by walking."""
    reached = []
    for start in range(12):
        seen = {start}
        while grown := {other for pair in links for one, other in (pair, pair[::-1]) if one in seen} - seen:
            seen |= grown
        reached.append(min(seen))
    return reached


@settings(max_examples=40, deadline=None)
@given(LINKS, st.randoms())
def test_a_cluster_is_what_can_be_reached_whatever_the_order_of_links(links, chance):
    """Union and find agrees with walking, and a shuffle of links cannot be seen."""
    shuffled = [pair if chance.random() < 0.5 else pair[::-1] for pair in chance.sample(links, len(links))]
    for order in (links, shuffled):
        clusters = Clusters(12)
        for one, other in order:
            clusters.link(one, other)
        assert clusters.roots().tolist() == by_walking(links)
        assert [clusters.root(one) for one in range(12)] == by_walking(links)


def test_a_family_has_the_name_of_its_smallest_hash():
    """Two photos that are linked, and whoever shares a group with one of them, are one family; a mere group has no new name."""
    linked = Clusters(6)
    linked.link(1, 4)
    found = families(list("fedcba"), ["f", "garden", "garden", "c", "b", "a"], linked)
    assert found == [None, "b", "b", None, "b", None]
    assert families(["a", "b"], ["garden", "garden"], Clusters(2)) == [None, None]


def test_the_best_copy_is_the_largest_then_the_least_compressed():
    """Size counts first, quality second; between equals the hash decides, so that no order can."""
    small, coarse, fine, same = Standing(10, 99, "a"), Standing(20, 80, "b"), Standing(20, 90, "d"), Standing(20, 90, "c")
    assert best([small, coarse]) == 1
    assert best([small, fine, coarse]) == 1
    assert best([fine, same]) == 1
    assert best([same, fine]) == 0
