"""Photos that mean the same go into one split: families of the index, joined by the vectors that CLIP found in photos."""

from __future__ import annotations

from itertools import chain

import numpy as np

from degrade.errors import RunError
from filters.duplicates import families
from filters.near import semantic
from filters.near.clusters import Clusters
from manifests import scores
from pipelines.run import Run
from pipelines.usable import Photo

SCORER, VECTOR = "clip", "image"


def joined(run: Run, photos: list[Photo]) -> list[Photo]:
    """Return the photos with the families that the recipe's `duplicates.semantic` makes; unchanged where it is not set.

    Raises:
        RunError: the photos have no vectors yet.
    """
    least = run.recipe.duplicates.semantic
    if least is None:
        return photos
    known = chain.from_iterable(scores.vectors(run.folder, scorer, VECTOR) for scorer in scores.kept(run.folder, "photos") if scorer.name == SCORER)
    vectors = dict(known)
    failed = scores.by_key(run.folder, "photos")[1]
    missing = [photo.uri for photo in photos if photo.sha256 not in vectors and photo.sha256 not in failed]
    if missing:
        told = f"{len(missing)} of {len(photos)} photos have no vector, e.g. {missing[0]}"
        raise RunError(f"`duplicates.semantic` compares vectors, and {told}: run `patina score {run.folder} --on photos --only {SCORER}` before the plan")
    there = [at for at, photo in enumerate(photos) if photo.sha256 in vectors]
    linked = Clusters(len(photos))
    for one, other in semantic.pairs(np.stack([vectors[photos[at].sha256] for at in there]), least) if there else ():
        linked.link(there[one], there[other])
    names = families([photo.sha256 for photo in photos], [photo.group for photo in photos], linked)
    return [photo._replace(cluster=name or photo.cluster) for photo, name in zip(photos, names, strict=True)]
