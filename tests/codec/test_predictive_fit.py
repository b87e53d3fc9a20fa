"""Fitting: fewer bytes, and a transform that can be undone."""

from __future__ import annotations

import numpy as np
import pytest

from codec import ByteTables, CodecTables, Encoder, TablesError
from codec.predictive_fit import ClipMotion, fit_tables
from tests.codec.synthetic import canonical, clip_motions, clip_vectors, fitted_tables


def size(tables: CodecTables) -> int:
    """Bytes of 30 messages of somebody the tables know, at another time: in this motion people share no movements."""
    encoder, motions = Encoder(tables), clip_motions(1, 140)[80:]
    encoder.set_source(canonical(1))
    return sum(len(encoder.encode(motions[at : at + 2])) for at in range(0, 60, 2))


def test_fitted_tables_are_shorter_than_those_that_know_no_model() -> None:
    fitted = fitted_tables()
    steps = fitted.predictive.arrays["steps"]
    as_fine = CodecTables(fitted.paper, CodecTables.default(20).predictive.replaced(steps=steps))
    assert size(fitted) < 0.9 * size(as_fine)


def test_transform_can_be_undone() -> None:
    tables = fitted_tables().predictive
    np.testing.assert_allclose(tables.basis @ tables.analysis, np.eye(60), atol=1e-9)
    deltas = np.random.default_rng(1).normal(0, 0.1, (5, 60))
    np.testing.assert_allclose((deltas - tables.mean) @ tables.analysis @ tables.basis + tables.mean, deltas)


def test_strong_components_come_first() -> None:
    sizes = fitted_tables().predictive.arrays["classes"][0, 6:].astype(int)
    assert sizes[:4].min() > sizes[-20:].max()


def test_the_same_motion_gives_the_same_tables() -> None:
    clips = [ClipMotion(clip_vectors(seed, 12, 3), canonical(seed, 3)) for seed in (1, 2)]
    assert fit_tables(clips).sha256 == fit_tables(clips).sha256
    assert fit_tables(clips, scaled=False).sha256 != fit_tables(clips).sha256


def test_a_face_that_does_not_move_can_be_fitted() -> None:
    still = np.repeat(clip_vectors(1, 1, 3), 10, axis=0)
    tables = CodecTables(ByteTables.fit(still), fit_tables([ClipMotion(still, canonical(1, 3))]))
    encoder = Encoder(tables)
    encoder.set_source(canonical(1, 3))
    motions = clip_motions(1, 4, 3)
    assert all(encoder.encode([motion]) for motion in motions)


@pytest.mark.parametrize(
    "clips",
    [
        [],
        [ClipMotion(clip_vectors(1, 5), canonical(1))],
        [ClipMotion(clip_vectors(1, 9), canonical(1)), ClipMotion(clip_vectors(1, 9, 3), canonical(1, 3))],
    ],
)
def test_refused(clips: list[ClipMotion]) -> None:
    with pytest.raises(TablesError, match="clips of 6 frames or more"):
        fit_tables(clips)
