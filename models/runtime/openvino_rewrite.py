"""Changes to a converted graph that give the same numbers sooner: the order in which OpenVINO holds what is joined.

Sampled pictures lie plane by plane in memory, what convolutions make lies pixel by pixel. Where both are joined for the
next convolution, OpenVINO copies all of it into planes and back.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHANGES_OF_TYPE = ("Convert", "ConvertLike", "ConvertPromoteTypes")


class Part(NamedTuple):
    """A convolution of a graph, the module that it is of, and which of the module's input channels it takes."""

    convolution: Any
    module: str
    channels: slice


def parts_of(model: Any) -> list[Part]:
    """Every convolution of a graph as it was converted, a whole module each."""
    found = (node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution")
    return [Part(node, module_of(node.get_friendly_name()), slice(None)) for node in found]


def module_of(friendly_name: str) -> str:
    """The torch module that OpenVINO's reader names a node after: `__module.networks.M/...` is `M`."""
    return friendly_name.partition("/")[0].removeprefix("__module.").removeprefix("networks.")


def split_joined(model: Any) -> list[Part]:
    """Make each convolution of joined features, some of them sampled, the sum of two: of the first and of the rest.

    conv(act(cat(a, b, c))) = conv(act(a)) + conv(act(cat(b, c))). Returns all convolutions that the graph then has.
    """
    parts: list[Part] = []
    for part in parts_of(model):
        joined = _joined(part.convolution)
        parts += [part] if joined is None else _split(part, joined)
    return parts


def _joined(convolution: Any) -> Any | None:
    """The join whose activation a convolution takes, where something in it was sampled."""
    activation = behind(convolution.input_value(0))
    joined = behind(activation.input_value(0)) if activation.get_type_name() == "PRelu" else activation
    if activation is joined or joined.get_type_name() != "Concat":
        return None
    kinds = {behind(source.get_source_output()).get_type_name() for source in joined.inputs()}
    return joined if "GridSample" in kinds else None


def _split(part: Part, joined: Any) -> Iterator[Part]:
    ops = import_module("openvino.opset13")
    convolution = part.convolution
    slope = behind(convolution.input_value(0)).input_value(1)
    first, *others = (source.get_source_output() for source in joined.inputs())
    rest = others[0] if len(others) == 1 else ops.concat(others, 1).output(0)
    weights, border = constant_value(convolution.input_value(1)), first.get_shape()[1]
    settings = convolution.get_attributes()
    shared = [settings[name] for name in ("strides", "pads_begin", "pads_end", "dilations")]
    pieces = []
    for features, channels in ((first, slice(0, border)), (rest, slice(border, weights.shape[1]))):
        kernel = ops.constant(np.ascontiguousarray(weights[:, channels]))
        pieces.append(Part(ops.convolution(ops.prelu(features, slope), kernel, *shared), part.module, channels))
    total = ops.add(*(piece.convolution for piece in pieces))
    for target in convolution.output(0).get_target_inputs():
        target.replace_source_output(total.output(0))
    yield from pieces


def behind(output: Any) -> Any:
    """The node that an output comes from, past changes of type."""
    node = output.get_node()
    while node.get_type_name() in CHANGES_OF_TYPE:
        node = node.input_value(0).get_node()
    return node


def constant_value(output: Any) -> NDArray[np.float32]:
    """The numbers of a constant in fp32, whatever it is stored as."""
    return np.asarray(behind(output).get_data(), np.float32)
