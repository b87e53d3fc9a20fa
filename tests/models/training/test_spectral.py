import torch
from torch import nn

from models.training.spectral import constrain, normed, release


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))


def norm_of(weight: torch.Tensor) -> float:
    return float(torch.linalg.matrix_norm(weight.detach().flatten(1), 2))


def test_weights_have_norm_1_and_are_left_behind_plain() -> None:
    module, plain = layers(), layers()
    constrain(module)
    constrain(module)  # once is enough
    image = torch.rand(1, 3, 8, 8)
    for _ in range(20):
        with normed(module):
            module(image)
    module.eval()
    drawn: torch.Tensor = module(image)
    release(module)
    assert set(module.state_dict()) == set(plain.state_dict())
    torch.testing.assert_close(module(image), drawn)
    for name, before in plain.named_parameters():
        if name.endswith("weight"):
            after = module.get_parameter(name).detach()
            assert abs(norm_of(after) - 1.0) < 1e-3
            torch.testing.assert_close(after / after.norm(), before.detach() / before.norm())  # only shorter or longer


def test_unconstrained_module_is_left_alone() -> None:
    module = layers()
    before = module.get_parameter("0.weight").detach().clone()
    with normed(module):
        _ = module(torch.rand(1, 3, 8, 8))
    release(module)
    assert torch.equal(module.get_parameter("0.weight"), before)
