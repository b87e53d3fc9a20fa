"""Spectral norm on the networks that draw (FV2V A.3), while they train; what is stored are plain weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

_LAYERS = (nn.Conv2d, nn.Conv3d, nn.Linear)


def constrain(module: nn.Module) -> None:
    """Put spectral norm on every convolution and linear layer: weights of norm 1, found by power iteration."""
    for layer in _layers(module):
        if not parametrize.is_parametrized(layer):
            spectral_norm(layer)


def release(module: nn.Module) -> None:
    """Leave the normed weights behind as plain ones."""
    module.eval()  # no further power iteration
    for layer in _layers(module):
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight")


@contextmanager
def normed(module: nn.Module) -> Iterator[None]:
    """One power iteration a step, in fp32 also under autocast, whose digits it would lose."""
    layers = [layer for layer in _layers(module) if parametrize.is_parametrized(layer)]
    with parametrize.cached():
        if layers:
            weight: Tensor = layers[0].weight
            with torch.autocast(weight.device.type, enabled=False):
                for layer in layers:
                    _ = layer.weight
        yield


def _layers(module: nn.Module) -> Iterable[nn.Conv2d | nn.Conv3d | nn.Linear]:
    return [part for part in module.modules() if isinstance(part, _LAYERS)]
