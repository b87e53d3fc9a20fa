"""The graphs are the networks' own paths, with tensors in and out."""

import torch

from models.geometry import HeadMotion
from models.interface import Extraction
from models.renderer import Renderer
from models.runtime.examples import example, moved, portrait
from models.runtime.graphs import pack_extraction, unpack_extraction
from models.weights import build_model


def test_unpack_is_the_inverse_of_pack() -> None:
    yaw, pitch, roll = torch.randn(3, 2).unbind(0)
    motion = HeadMotion(yaw, pitch, roll, torch.randn(2, 3), torch.randn(2, 20, 3))
    found = Extraction(motion, torch.rand(2))
    packed = pack_extraction(found)
    assert packed.shape == (2, 3 * 20 + 7)
    again = unpack_extraction(packed)
    for a, b in zip((*again.motion, again.face_score), (*motion, found.face_score), strict=True):
        assert torch.equal(a, b)


def test_render_graph_gives_what_the_renderer_gives() -> None:
    model = build_model("tiny")
    graph, frames = example(model, "render")
    image = portrait(model.config.size)
    renderer = Renderer(model)
    renderer.set_source(image)
    own = model.extract(image, model.canonical(image)).motion
    with torch.inference_mode():
        picture = graph.module(*graph.fixed, *frames[2])
    torch.testing.assert_close(picture, renderer.render(moved(own, 2 / 3)), atol=1e-6, rtol=0.0)


def test_extract_graph_gives_what_the_model_gives() -> None:
    model = build_model("tiny")
    graph, frames = example(model, "extract")
    with torch.inference_mode():
        packed = graph.module(*graph.fixed, *frames[1])
    assert torch.equal(packed, pack_extraction(model.extract(frames[1][0], graph.fixed[0])))


def test_signature_tells_shapes_apart() -> None:
    model = build_model("tiny")
    render, extract = example(model, "render")[0], example(model, "extract")[0]
    assert extract.signature == "extract(1x20x3,1x3x64x64)"
    assert render.signature != extract.signature
