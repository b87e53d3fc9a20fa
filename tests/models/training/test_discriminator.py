import pytest
import torch

from models.training.discriminator import Discriminator, PatchDiscriminator, discriminator_for


def test_scores_and_features_of_every_layer() -> None:
    """64 px: halved twice, then two layers of stride 1 that lose a pixel each."""
    judgement = PatchDiscriminator(width=4, layers=3, widest=8)(torch.rand(2, 3, 64, 64))
    assert [tuple(f.shape) for f in judgement.features] == [(2, 4, 32, 32), (2, 8, 16, 16), (2, 8, 15, 15)]
    assert judgement.scores.shape == (2, 1, 14, 14)


def test_a_score_sees_its_patch_and_no_more() -> None:
    network = PatchDiscriminator(width=4, layers=3).eval()
    picture = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    marked = picture.clone()
    marked[..., :4, :4] = 1.0 - marked[..., :4, :4]
    with torch.no_grad():
        moved = (network(picture).scores - network(marked).scores).abs()[0, 0]
    assert moved[0, 0] > 0
    assert moved[-8:].max() == 0
    assert moved[:, -8:].max() == 0


def test_spectral_norm_of_every_layer_is_one() -> None:
    """However large the weights are set: |D(a) - D(b)| stays bounded, the score's layer included."""
    network = PatchDiscriminator(width=4, layers=3)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("original"):
                value.mul_(50.0)
        for _ in range(30):
            network(torch.rand(1, 3, 64, 64))
    for layer in (*network.hidden, network.score):
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert largest.item() == pytest.approx(1.0, abs=0.02)


def test_two_scales_from_512_px_one_at_256() -> None:
    assert len(discriminator_for(256, 4).scales) == 1
    assert len(discriminator_for(512, 4).scales) == 2
    assert len(discriminator_for(64, 4).scales[0].hidden) == 3  # type: ignore[arg-type]


def test_second_scale_sees_the_picture_at_half_size() -> None:
    network = Discriminator(scales=2, width=4, layers=3).eval()
    picture = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        first, second = network(picture)
        halved = torch.nn.functional.avg_pool2d(picture, 3, 2, 1, count_include_pad=False)
        torch.testing.assert_close(second.scores, network.scales[1](halved).scores)
    assert first.scores.shape[-1] == 30
    assert second.scores.shape[-1] == 14


def test_autocast_judges_nearly_alike() -> None:
    network = PatchDiscriminator(width=8, layers=3).eval()
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        exact = network(picture).scores
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(picture).scores
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().max() < 0.02
