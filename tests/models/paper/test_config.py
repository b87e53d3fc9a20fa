import pytest

from models.paper.config import PAPER, PAPER_PRESETS, PAPER_TINY, PaperConfig


def test_sizes_of_the_paper() -> None:
    """FV2V fig. 12: a volume of 32 x 16 x 64 x 64 at both sizes, 20 keypoints, one more block at 512 px."""
    large = PAPER_PRESETS["paper-512"]
    for config in (PAPER, large):
        assert (config.volume_channels, config.depth, config.grid, config.keypoints) == (32, 16, 64, 20)
    assert (PAPER.blocks, large.blocks) == (2, 3)
    assert PAPER.flat_channels == 512


def test_ablations_are_presets() -> None:
    assert [PAPER_PRESETS[f"paper-k{count}"].keypoints for count in (10, 15)] == [10, 15]
    assert PAPER_PRESETS["paper-2d"].dimensions == 2
    assert PAPER_PRESETS["paper-direct"].direct
    assert not PAPER_PRESETS["paper-direct"].jacobians
    assert all(name == config.preset for name, config in PAPER_PRESETS.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 96}, "size: expected the grid 64 times a power of two, got 96"),
        ({"size": 64}, "size: expected the grid 64 times a power of two, got 64"),
        ({"size": 1024}, "widths: expected 5 for size 1024, got 4"),
        ({"keypoints": 0}, "keypoints: expected at least 1, got 0"),
        ({"direct": True}, "direct: expected jacobians=False"),
        ({"grid": 16, "size": 32}, "grid: expected a multiple of 32, got 16"),
        ({"canonical_size": 48}, "canonical_size: expected a multiple of 32, got 48"),
    ],
)
def test_sizes_that_do_not_fit(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PaperConfig(**change)  # type: ignore[arg-type]


def test_tiny_is_of_the_same_kind() -> None:
    assert PAPER_TINY.blocks == PAPER.blocks
    assert PAPER_TINY.jacobians
    assert PAPER_TINY.dimensions == 3
