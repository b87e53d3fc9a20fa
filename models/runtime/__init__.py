"""Ways to run the two paths of every frame, measured once on this machine; the quickest right one is taken.

In this package:
graphs.py        render (M, warps, G) and extract (H, Δ) as modules with tensors in and out
base.py          Way: how to make such a module run; Runner: one made ready
torch_eager.py torch_frozen.py openvino_graph.py cuda_graph.py      the ways
openvino_int8.py     the same with G in 8 bits, for weights that have ranges (ranges.py) beside them
narrow.py        folded batch norm and convolutions in half precision, used by several ways
openvino_rewrite.py  what is joined, in the order in which OpenVINO holds it
choose.py        measures the ways beside plain fp32 torch and chooses
stored.py        keeps choices on disk
prepare.py       `prepare(model)`: the same model, running the chosen way
"""
