"""The report's tables: equal picture, everything that was measured, FV2V's Tables 1 and 5."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from replay.compare.equal import RATES, Equal
from replay.compare.page import Table
from replay.compare.summary import Group, Way
from replay.compare.work import REPEAT

PUBLISHED_1: Final = (
    ("fs-vid2vid", "VoxCeleb2", 17.10, 20.36, 0.71, None, 85.76, 3.41),
    ("FOMM", "VoxCeleb2", 12.66, 23.25, 0.77, 0.83, 73.71, 2.14),
    ("Bi-layer", "VoxCeleb2", 23.95, 16.98, 0.66, 0.66, 203.36, 5.38),
    ("FV2V", "VoxCeleb2", 10.74, 24.37, 0.80, 0.85, 69.13, 2.07),
    ("fs-vid2vid", "TalkingHead-1KH", 15.18, 20.94, 0.75, None, 63.47, 11.07),
    ("FOMM", "TalkingHead-1KH", 12.30, 23.67, 0.79, 0.83, 55.35, 3.76),
    ("FOMM-L", "TalkingHead-1KH", 12.81, 23.13, 0.78, None, 60.58, 4.04),
    ("FV2V", "TalkingHead-1KH", 10.67, 24.20, 0.81, 0.84, 52.08, 3.74),
)
"""FV2V, Table 1: L1, PSNR, SSIM, MS-SSIM, FID, AKD; None where it has none."""
PUBLISHED_5: Final = (
    ("fs-vid2vid", 504, 231.42, 158, 599, 238),
    ("FOMM", 240, 171.09, 159, 210, 169),
    ("FV2V, 20 keypoints", 132, 84.44, 78, 104, 84),
    ("FV2V, adaptive", 81.16, 53.03, 25, 102, 45),
)
"""FV2V, Table 5: bytes of a frame before coding; mean, least, most, median after it."""
CRF_OF_FV2V: Final = "x264 medium 36"
_FIGURES: Final = (
    ("PSNR", "psnr_db", 1),
    ("SSIM", "ssim", 3),
    ("MS-SSIM", "ms_ssim", 3),
    ("LPIPS", "lpips", 3),
    ("AKD", "akd_px", 2),
    ("AKD-M", "akd_mouth_px", 2),
    ("mouth", "mouth_correlation", 2),
    ("blinks", "blink_correlation", 2),
    ("faces", "faces_found", 2),
    ("identity", "identity", 3),
    ("flicker", "flicker", 2),
)


def equal_table(group: Group, way: str) -> Table:
    """A line a codec: its rates at our LPIPS and AKD, and how many times ours the smaller one is."""
    heads = ["codec", "kbps at our LPIPS", "at our AKD", "× payload", "× over 60 s", "× wire", "× over 60 s"]
    heads += ["× payload of a clip: median (least, most)"]
    rows = []
    for codec in group.codecs:
        found = group.against(way, codec)
        if found:
            by_clip = list(group.clip_ratios(way, codec).values())
            spread = f"{median(by_clip):.1f} ({min(by_clip):.1f}, {max(by_clip):.1f})"
            first = found[RATES[0]]
            cells = [_rate(first, "lpips"), _rate(first, "akd_px")]
            order = (RATES[0], RATES[2], RATES[1], RATES[3])
            rows.append([codec, *cells, *(_ratio(found[rate]) for rate in order), spread])
    strong = [number for number, row in enumerate(rows) if row[0] == "x264 medium"]
    cost = next((one.mean.rates for one in group.ways if one.name == way), {})
    caption = (
        f"{way}: {cost.get('steady_kbps', 0):.2f} kbps of payload, {cost.get('steady_wire_kbps', 0):.1f} as RTP, "
        f"{cost.get('channel_kbps', 0):.1f} over a data channel. Rates without the first picture (P frames, motion); "
        "≥ and ≤: we lie beyond the codec's best or last step. ×: the smaller of the two over ours; over 60 s: with "
        "the first picture of either side."
    )
    return Table(caption, heads, rows, strong=strong)


def levels_table(group: Group, codec: str) -> Table:
    """Every way of ours against one codec."""
    heads = [
        "way",
        "B a frame",
        "kbps",
        "LPIPS",
        "AKD",
        f"{codec}, kbps",
        "× payload",
        "× over 60 s",
        "× wire",
        "× over 60 s",
    ]
    rows = []
    ways = {way.name: way for way in group.ways}
    for name in group.ours:
        found, mean = group.against(name, codec), ways[name].mean
        sizes = float(np.mean([row.extra["bytes_per_frame"] for row in group.of(name)]))
        figures = [f"{mean.figures[key]:.{digits}f}" if key in mean.figures else "-" for key, digits in _LPIPS_AKD]
        if found:
            ratios = [_ratio(found[rate]) for rate in (RATES[0], RATES[2], RATES[1], RATES[3])]
            codec_kbps = f"{_sign(found[RATES[0]])}{found[RATES[0]].codec.kbps:.1f}"
        else:
            ratios, codec_kbps = ["-"] * 4, "-"
        rows.append([name, f"{sizes:.1f}", f"{mean.rates['steady_kbps']:.2f}", *figures, codec_kbps, *ratios])
    strong = [number for number, row in enumerate(rows) if row[0] == group.quoted]
    return Table(f"Every profile, level and size against {codec}.", heads, rows, strong=strong)


_LPIPS_AKD: Final = (("lpips", 3), ("akd_px", 2))


def everything_table(group: Group) -> Table:
    """A line for everything that was measured: rates, and means over clips."""
    heads = ["way", "clips", "kbps", "wire", "without first picture", "bpp", *(title for title, _, _ in _FIGURES)]
    rows = [[way.name, str(way.clips), *_rates(way), *_figures(way)] for way in group.ways]
    strong = [number for number, row in enumerate(rows) if row[0] in (group.quoted, REPEAT)]
    caption = (
        f"{group.name}: means over clips, each of equal weight. kbps: payload of the measured seconds with the first "
        "picture; wire: as RTP. AKD and AKD-M (mouth) in px of 256, over frames in which a face is found (faces: their "
        "share). Mouth and blinks: correlation with the clip's. Identity: distance of faces (dlib; 0.6: another). "
        "Flicker: mean |dy - dx| between successive frames, levels of 255."
    )
    return Table(caption, heads, rows, strong=strong)


def table_1(groups: Sequence[Group]) -> Table:
    """FV2V's Table 1 with ours below it."""
    heads = ["method", "set", "L1", "PSNR", "SSIM", "MS-SSIM", "FID", "AKD", "LPIPS", "kbps"]
    rows = [[name, where, *map(_published, figures), "", ""] for name, where, *figures in PUBLISHED_1]
    strong = []
    for group in groups:
        for name in (group.quoted, REPEAT, CRF_OF_FV2V):
            for way in group.ways:
                if way.name == name:
                    strong += [len(rows)] if name == group.quoted else []
                    rows.append([name, group.name, *_table_1_figures(way)])
    caption = (
        "FV2V's Table 1 (same-identity reconstruction, its own sets and landmark finder), and the same figures here. "
        "FID is left out where its weights were not at hand."
    )
    return Table(caption, heads, rows, left=2, strong=strong)


def table_5(groups: Sequence[Group]) -> Table:
    """FV2V's Table 5 with ours below it: bytes of a frame."""
    heads = ["method", "set", "before coding", "mean", "least", "most", "median"]
    rows = [[name, "FV2V's", *(f"{figure:g}" for figure in figures)] for name, *figures in PUBLISHED_5]
    for group in groups:
        size = f"facewire {min(int(name.split()[1]) for name in group.ours)} " if group.ours else ""
        for way in group.ways:
            if way.name.startswith(size) and size and "paper" in way.name:
                pairs = [pair for row in group.of(way.name) for pair in row.extra["frame_bytes"]]
                rows.append([f"ours, {way.name.removeprefix(size)}", group.name, *_spread(pairs)])
        for way in group.ways:
            if way.name == f"{size}predictive high":
                sizes = [row.extra["bytes_per_frame"] for row in group.of(way.name)]
                figures = (np.mean(sizes), np.min(sizes), np.max(sizes), np.median(sizes))
                rows.append(
                    ["ours, predictive high, mean of a clip", group.name, "132", *(f"{x:.1f}" for x in figures)]
                )
    caption = "FV2V's Table 5: bytes of a frame coded by itself. Profile predictive builds on the frame before."
    return Table(caption, heads, rows, left=2)


def _spread(pairs: Sequence[Sequence[int]]) -> list[str]:
    before, after = (np.array([pair[place] for pair in pairs], float) for place in (0, 1))
    return [
        f"{before.mean():.1f}",
        f"{after.mean():.1f}",
        f"{after.min():.0f}",
        f"{after.max():.0f}",
        f"{np.median(after):.0f}",
    ]


def _table_1_figures(way: Way) -> list[str]:
    figures = way.mean.figures
    named = (("l1", 2), ("psnr_db", 2), ("ssim", 2), ("ms_ssim", 2))
    cells = [f"{figures[key]:.{digits}f}" if key in figures else "" for key, digits in named]
    cells.append("" if way.fid is None else f"{way.fid:.1f}")
    cells += [f"{figures[key]:.{digits}f}" if key in figures else "" for key, digits in (("akd_px", 2), ("lpips", 3))]
    return [*cells, f"{way.mean.rates['steady_kbps']:.1f}"]


def _rates(way: Way) -> list[str]:
    rates: dict[str, Any] = dict(way.mean.rates)
    cells = [f"{rates[name]:.1f}" for name in ("payload_kbps", "wire_kbps")]
    return [*cells, f"{rates['steady_kbps']:.2f}", f"{rates['bpp']:.4f}"]


def _figures(way: Way) -> list[str]:
    known = way.mean.figures
    return [f"{known[name]:.{digits}f}" if name in known else "-" for _, name, digits in _FIGURES]


def _rate(found: Equal, judge: str) -> str:
    rate = found.by_figure[judge]
    return f"{SIGNS[rate.bound]}{rate.kbps:.1f}"


def _ratio(found: Equal) -> str:
    return f"{_sign(found)}{found.ratio:.1f}"


def _sign(found: Equal) -> str:
    return SIGNS[found.codec.bound]


SIGNS: Final = {"at least": "≥ ", "at most": "≤ ", None: ""}


def _published(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.2f}"
