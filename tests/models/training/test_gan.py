import pytest
import torch
from torch import Tensor

from models.training.gan import Judgement, feature_matching, hinge_discriminator, hinge_generator


def judged(scores: list[float], features: list[float]) -> Judgement:
    """Two patches side by side; each feature map is constant."""
    return Judgement(torch.tensor(scores).reshape(1, 1, 1, -1), tuple(torch.full((1, 2, 2, 2), f) for f in features))


def test_hinge_of_the_discriminator() -> None:
    """Real scores 2 and 0.5 cost 0 and 0.5; made scores -2 and 0.5 cost 0 and 1.5."""
    real, made = judged([2.0, 0.5], []), judged([-2.0, 0.5], [])
    assert hinge_discriminator([real], [made]).item() == pytest.approx(0.25 + 0.75)
    sure = judged([1.0, 3.0], []), judged([-1.0, -9.0], [])
    assert hinge_discriminator([sure[0]], [sure[1]]).item() == 0.0
    # a second scale that is wrong by 4 on both sides: the mean over scales
    wrong = judged([-3.0, -3.0], []), judged([3.0, 3.0], [])
    assert hinge_discriminator([real, wrong[0]], [made, wrong[1]]).item() == pytest.approx((1.0 + 8.0) / 2)


def test_hinge_of_the_generator_has_no_margin() -> None:
    assert hinge_generator([judged([2.0, 0.5], [])]).item() == pytest.approx(-1.25)
    assert hinge_generator([judged([2.0, 0.5], []), judged([-4.0, 0.0], [])]).item() == pytest.approx(0.375)


def test_feature_matching_is_a_mean_over_layers_and_scales() -> None:
    real = [judged([0.0], [1.0, 2.0]), judged([0.0], [0.0, 0.0])]
    made = [judged([0.0], [1.5, 1.0]), judged([0.0], [0.1, 0.0])]
    # layers 0.5 and 1.0: 0.75; layers 0.1 and 0: 0.05
    assert feature_matching(real, made).item() == pytest.approx((0.75 + 0.05) / 2)


def test_feature_matching_teaches_the_made_side_only() -> None:
    def leaf(value: float) -> tuple[Judgement, Tensor]:
        feature = torch.full((1, 1, 2, 2), value, requires_grad=True)
        return Judgement(torch.zeros(1, 1, 1, 1), (feature,)), feature

    (real, real_feature), (made, made_feature) = leaf(1.0), leaf(0.0)
    feature_matching([real], [made]).backward()  # type: ignore[no-untyped-call]
    assert real_feature.grad is None
    assert made_feature.grad is not None
    assert made_feature.grad.flatten().tolist() == [-0.25] * 4


def test_scales_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        hinge_discriminator([judged([0.0], [])], [])
