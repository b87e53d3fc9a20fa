"""Videos of a clip side by side: the camera, facewire, and x264 at the same rate or at the same quality.

x264 `medium` ends far above our rate. What is shown at the same rate is therefore x264 on a smaller picture, brought up
again: the largest size, and at that size the best quality, whose P frames cost no more than our motion. The same
quality is where the smaller of its two rates at our LPIPS and AKD lies on this very clip.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from PIL import Image

from receiver.show import VideoWriter
from replay.compare.anchors import MEDIUM, Anchor
from replay.compare.clip import Picture, Reference
from replay.compare.coding import decode, encode
from replay.compare.equal import equal, mean_point
from replay.compare.ours import WAYS, Ours
from replay.compare.rates import codec_rates
from replay.compare.summary import Group
from replay.rating.pairs import Pair, Version
from replay.side_by_side import Figure, Layout, SideBySide

SHRINKS: Final = (1, 2, 4, 8)
WORST_CRF: Final = 51
BEST_CRF: Final = 10
CHEAPEST: Final = "its cheapest"
SECONDS: Final = 3.0
FILM_CRF: Final = 27
"""Of what is inside the report: it is to stay small."""
RATING_CRF: Final = 12
"""Of what raters see: no more damage is to be seen than what is compared has."""
PANEL_PX: Final = 256


@dataclass(frozen=True)
class Shown:
    """One version of a clip: its pictures, what it is called, and its rate without the first picture in kbit/s."""

    name: str
    pictures: Sequence[Picture]
    kbps: float | None


@dataclass(frozen=True)
class Videos:
    """What was written of a clip: a video side by side, a still of it, the pair to rate, and words for a caption."""

    film: Path
    still: Path
    pair: Pair
    caption: str


def typical_clip(group: Group, count: int) -> list[str]:
    """The clips whose own LPIPS with our quoted way is nearest to the median: neither our best nor our worst."""
    lpips = {row.clip: row.figures.get("lpips") for row in group.of(group.quoted)}
    known = {clip: value for clip, value in lpips.items() if value is not None}
    if not known:
        return sorted(lpips)[:count]
    middle = median(known.values())
    return sorted(known, key=lambda clip: abs(known[clip] - middle))[:count]


def make_videos(group: Group, reference: Reference, ours: Ours, out: Path) -> Iterator[Videos]:
    """Write the videos of a clip into a folder, at equal rate and, where it was measured, at equal quality."""
    way = next(one for one in WAYS if group.quoted.endswith(one.name))
    sent = ours.send(way)
    count = min(len(reference.frames), int(SECONDS * reference.rate))
    mine = [picture for _, picture in ours.render(sent.motions, range(count))]
    row = next(row for row in group.of(group.quoted) if row.clip == reference.file.name)
    facewire = Shown("facewire", mine, row.rates.steady_kbps)
    name = f"{group.name}-{reference.file.name}"
    same_rate = at_rate(reference, row.rates.steady_kbps, count)
    reached = (
        "the same rate" if same_rate.kbps is not None and same_rate.kbps <= 1.1 * row.rates.steady_kbps else CHEAPEST
    )
    yield _write(out, f"{name}-equal-rate", reference, facewire, same_rate, reached)
    crf = crf_at_quality(group, reference.file.name)
    if crf is not None:
        same_quality = _coded(MEDIUM, crf, reference, count)
        yield _write(out, f"{name}-equal-quality", reference, facewire, same_quality, "the same quality")


def at_rate(reference: Reference, kbps: float, count: int) -> Shown:
    """x264 on the largest picture, and there at the best quality, that costs no more than `kbps`; else its cheapest."""
    for shrink in SHRINKS:
        anchor = replace(MEDIUM, shrink=shrink)
        if _kbps(anchor, WORST_CRF, reference) <= kbps:
            break
    low, high = float(BEST_CRF), float(WORST_CRF)  # the rate falls as CRF rises
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if _kbps(anchor, middle, reference) <= kbps else (middle, high)
    return _coded(anchor, high, reference, count)


def crf_at_quality(group: Group, clip: str) -> float | None:
    """CRF of x264 medium where the smaller of its rates at our LPIPS and AKD of a clip lies; None without figures."""
    steps = [row for row in group.of_family(MEDIUM.name) if row.clip == clip]
    (own,) = (mean_point([row]) for row in group.of(group.quoted) if row.clip == clip)
    curve = [mean_point([row]) for row in steps]
    found = equal(curve, own, "steady_kbps")
    if found is None:
        return None
    kbps = found.codec.kbps
    known = sorted((row.rates.steady_kbps, float(row.step or 0)) for row in steps)
    for (low, worse), (high, better) in zip(known, known[1:], strict=False):
        if low <= kbps <= high:
            return worse + (better - worse) * math.log(kbps / low) / math.log(high / low)
    return known[0][1] if kbps < known[0][0] else known[-1][1]


def _kbps(anchor: Anchor, crf: float, reference: Reference) -> float:
    stream = encode(anchor, crf, reference.frames, reference.rate)
    return codec_rates(stream.counted, reference.seconds, reference.size).steady_kbps


def _coded(anchor: Anchor, crf: float, reference: Reference, count: int) -> Shown:
    stream = encode(anchor, crf, reference.frames, reference.rate)
    pictures = decode(anchor, stream, reference.size, range(count))
    size = f" at 1/{anchor.shrink} size" if anchor.shrink > 1 else ""
    kbps = codec_rates(stream.counted, reference.seconds, reference.size).steady_kbps
    return Shown(f"x264, CRF {crf:.3g}{size}", [pictures[number] for number in range(count)], kbps)


def _write(out: Path, name: str, reference: Reference, ours: Shown, theirs: Shown, what: str) -> Videos:
    out.mkdir(parents=True, exist_ok=True)
    camera = Shown("camera", [reference.rgb(number) for number in range(len(ours.pictures))], None)
    versions = (camera, ours, theirs)
    layout = Layout(panel=PANEL_PX, margin=12, heading=36, footer=60, panels=len(versions))
    sheet = SideBySide([version.name for version in versions], layout)
    figures = [_figure(version) for version in versions]
    film, still = out / f"{name}.mp4", out / f"{name}.jpg"
    frames = [sheet.draw_all(pictures, figures) for pictures in zip(*(one.pictures for one in versions), strict=True)]
    _video(film, frames, reference, FILM_CRF)
    Image.fromarray(frames[len(frames) // 2]).save(still, quality=88)
    files = [f"{name}-{letter}.mp4" for letter in "ab"]
    for version, file in zip((ours, theirs), files, strict=True):
        _video(out / file, version.pictures, reference, RATING_CRF)
    pair = Pair(
        id=name,
        clip=reference.file.name,
        a=Version(name="facewire", video=f"{out.name}/{files[0]}"),
        b=Version(name=f"x264 at {what}", video=f"{out.name}/{files[1]}"),
    )
    caption = (
        f"{reference.file.name}, x264 at {what}: facewire with {ours.kbps:.1f} kbps, {theirs.name} with "
        f"{theirs.kbps:.1f} kbps; payload without the first picture."
    )
    return Videos(film, still, pair, caption)


def _figure(version: Shown) -> Figure:
    return Figure("", "") if version.kbps is None else Figure("without first picture", f"{version.kbps:.1f} kbps")


def _video(path: Path, frames: Sequence[Picture], reference: Reference, crf: int) -> None:
    with closing(VideoWriter(path, float(reference.rate), crf)) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, float(number / reference.rate))
