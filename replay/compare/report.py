"""`facewire compare`: measure, then write report.html, report.json, plots and videos into a folder."""

import json
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import av
from rich.console import Console
from rich.table import Table as RichTable

from models.metrics import find_lpips_weights
from models.renderer import picture_sizes
from models.training.mediapipe_env import default_folder, make_environment
from replay.compare.anchors import ANCHORS, MEDIUM
from replay.compare.clip import find_clips
from replay.compare.coding import available
from replay.compare.cross import write_cross_sections
from replay.compare.equal import RATES, curves_against, equal, figure_at
from replay.compare.ours import WAYS, Ours, model_at
from replay.compare.page import Film, Part, Picture, Section, Table, Words, read_sections, write_page
from replay.compare.plots import rate_plots
from replay.compare.run import done_before, plan, run
from replay.compare.summary import Group, Way, as_json, group_results
from replay.compare.tables import SIGNS, equal_table, everything_table, levels_table, table_1, table_5
from replay.compare.videos import Videos, make_videos, typical_clip
from replay.compare.work import REPEAT, Settings, reference_of
from replay.errors import CompareError
from replay.rating.pairs import PairSet, write_pairs

JSON: Final = "report.json"
PAGE: Final = "report.html"
VIDEOS: Final = "videos"
LIBRARIES: Final = ("facewire", "av", "torch", "numpy", "opencv-python-headless", "constriction")


@dataclass(frozen=True)
class Options:
    """What `facewire compare` was asked for (cli.py has the words)."""

    weights: Path | None
    only: list[str] | None
    first: int
    every: int
    lpips: Path | None
    mediapipe_python: Path | None
    landmarks: bool
    fid: Path | None
    videos: int
    workers: int | None
    ray: str | None
    report_only: bool = False
    cross_identity: bool = False


def make_report(clips: Sequence[Path], out: Path, options: Options) -> None:
    """Measure what is not measured yet and write the report. Raises CompareError; what failed is told and left out."""
    console = Console(stderr=True)
    files = find_clips(list(clips))
    settings = _settings(options, console)
    tasks, missing = plan(files, picture_sizes(model_at(settings.weights)), options.only)
    out.mkdir(parents=True, exist_ok=True)
    if options.report_only:
        done = done_before(tasks, settings, out)
    else:
        done = run(
            tasks, settings, out, options.workers, options.ray, lambda line: console.print(line, highlight=False)
        )
    groups = group_results(done.results)
    if not groups:
        why = "; ".join(done.failed) or f"nothing in {out} fits these clips and settings"
        raise CompareError(f"expected results of {len(files)} clips, got none: {why}")
    if options.cross_identity and not options.report_only:
        write_cross_sections(files, settings, out, lambda line: console.print(line, highlight=False))
    about = _about(settings, missing, done.failed)
    (out / JSON).write_text(json.dumps({**about, **as_json(groups)}, indent=1) + "\n", encoding="utf-8")
    write_report(out, groups, settings, about, options.videos)
    for group in groups:
        console.print(_ratio_table(group))
    console.print(f"{out / PAGE}  {out / JSON}", highlight=False)
    if done.failed:
        raise CompareError(f"{len(done.failed)} of {len(tasks)} pieces of work failed, the first: {done.failed[0]}")


def write_report(out: Path, groups: Sequence[Group], settings: Settings, about: dict[str, Any], videos: int) -> None:
    """Draw the plots, make the videos, and write the page; sections that other programs left come last."""
    sections = [_answer(groups)]
    pairs = []
    for group in groups:
        plot = out / f"rates-{group.name}.png"
        rate_plots(group).save(plot, optimize=True)
        parts: list[Part] = [equal_table(group, group.quoted), levels_table(group, "x264 medium")]
        parts.append(Picture(plot, "Means over clips; the dotted line is the source picture, repeated."))
        for made in _videos(group, settings, out, videos):
            parts.append(Film(made.film, made.caption))
            pairs.append(made.pair)
        sections.append(Section(f"{group.name}: {len(group.clips)} clips, {group.size_px} px", parts))
    if pairs:
        write_pairs(out, PairSet(pairs=tuple(pairs)))
    sections.append(Section("FV2V's tables", [table_1(groups), table_5(groups)]))
    sections += read_sections(out)
    sections.append(Section("Everything that was measured", [everything_table(group) for group in groups]))
    sections.append(Section("How it was measured", _method(about)))
    write_page(out / PAGE, "facewire against ordinary codecs", sections)


def _settings(options: Options, console: Console) -> Settings:
    lpips = options.lpips or find_lpips_weights()
    if lpips is None:
        console.print("LPIPS is left out, and with it bits at equal picture: name its weights with --lpips")
    python = None
    if options.landmarks:
        python = options.mediapipe_python or make_environment(default_folder())
    return Settings(options.weights, lpips, python, options.fid, options.first, options.every)


def _videos(group: Group, settings: Settings, out: Path, count: int) -> list[Videos]:
    model = model_at(settings.weights)
    made: list[Videos] = []
    for clip in typical_clip(group, count):
        reference = reference_of(group.files[clip], settings)
        made += make_videos(group, reference, Ours(model, reference, int(group.quoted.split()[1])), out / VIDEOS)
    return made


def _answer(groups: Sequence[Group]) -> Section:
    """The question that a doubter has, answered in a table of few lines."""
    heads = ["set", "facewire, kbps", "LPIPS, AKD", "source repeated: LPIPS, AKD", *(anchor.name for anchor in ANCHORS)]
    rows = []
    for group in groups:
        ways = {way.name: way for way in group.ways}
        if group.quoted not in ways:
            continue
        cells = [f"{group.name}, {group.size_px} px", f"{ways[group.quoted].mean.rates['steady_kbps']:.2f}"]
        cells += [judged(ways.get(name)) for name in (group.quoted, REPEAT)]
        rows.append([*cells, *(times_ours(group, anchor.name) for anchor in ANCHORS)])
    words = (
        "How many times facewire's rate does a codec need for an equal picture? The codec's rate is the smaller one "
        "of those at which it reaches facewire's LPIPS and its AKD (distance of landmarks, px of 256): LPIPS alone "
        "proves nothing, since the source picture shown again and again costs nothing and scores well. Payload, P "
        "frames against motion; what the first pictures and the packets' headers add is in the tables below."
    )
    parts: list[Part] = [Words(words), Table("Times facewire's rate.", heads, rows)]
    parts += [Words(told) for group in groups if (told := unequal_words(group))]
    return Section("Bits at equal picture", parts)


def unequal_words(group: Group) -> str:
    """What x264 is better or worse at where LPIPS or AKD is equal; nothing where that is not known."""
    both = curves_against(group.of(group.quoted), group.of_family(MEDIUM.name))
    found = equal(*both, RATES[0]) if both else None
    if both is None or found is None:
        return ""
    curve, ours = both
    told = []
    for name, figure, digits in (("PSNR", "psnr_db", 1), ("SSIM", "ssim", 3), ("flicker", "flicker", 2)):
        if figure not in ours.figures:
            continue
        theirs = figure_at(curve, figure, found.codec.kbps, RATES[0])
        told.append(f"{name} {ours.figures[figure]:.{digits}f} (x264 {theirs:.{digits}f})")
    return (
        f"{group.name}: equal is not the same. Where x264 medium needs {found.codec.kbps:.1f} kbps and facewire "
        f"{found.ours_kbps:.2f}, facewire has {', '.join(told)}: detail that is not quite where the camera saw it, and "
        "a background that is not filmed."
    )


def judged(way: Way | None) -> str:
    """LPIPS and AKD of a way in few words."""
    figures = way.mean.figures if way else {}
    named = (("lpips", 3), ("akd_px", 2))
    return ", ".join(f"{figures[name]:.{digits}f}" if name in figures else "-" for name, digits in named)


def times_ours(group: Group, codec: str) -> str:
    """The ratio in payload against a codec, "-" where it was not measured."""
    found = group.against(group.quoted, codec).get(RATES[0])
    return "-" if found is None else f"{SIGNS[found.codec.bound]}{found.ratio:.1f}"


CODECS_WORDS: Final = """
The first {first} frames of each clip at its own rate; each {every}th is compared, the same ones for all. Square clips
of 256 or 512 px are taken as they are, of others the square that a call would cut. Codecs code them as stored, one I
frame and then P. Their payload is every byte of an access unit but x264's banner; on the wire 50 B more for each packet
of at most 1150 B, at least one a frame. Curves are means over clips, each of equal weight, and rates between steps are
interpolated in their logarithm.
"""
OUR_WORDS: Final = """
facewire as in a call: the source picture is the first of up to eight frames of the first second in which the face
finder and the networks see a face, nothing is looked up later in the clip; WebP, quality 90 at 256 px, 80 at 512. Every
frame is rendered from what the receiver decodes, the measured ones before the source included. Motion is steadied,
coded and put into messages of 60 ms by the sender's own parts. No loss; no sound on either side. The crop stands still:
the codecs get the same one. At 512 px a clip rendered at 256 is brought up bicubically. Networks run in plain torch.
"""


def _method(about: dict[str, Any]) -> list[Part]:
    settings = "\n".join(f"{anchor.name}: {anchor.words()}" for anchor in ANCHORS)
    ours = "\n".join(f"{way.name}: facewire compress {way.words()}" for way in WAYS)
    versions = "\n".join(f"{name} {number}" for name, number in about["versions"].items())
    parts: list[Part] = [
        Words(CODECS_WORDS.format(**about["settings"]).strip()),
        Words(OUR_WORDS.strip()),
        Words(settings, code=True),
        Words(ours, code=True),
        Words(f"$ {about['command']}\nmodel {about['model_id']}\n{versions}", code=True),
    ]
    for title, lines in (("Not at hand here", about["missing"]), ("Failed", about["failed"])):
        if lines:
            parts.append(Words(f"{title}: {'; '.join(lines)}"))
    return parts


def _about(settings: Settings, missing: Sequence[str], failed: Sequence[str]) -> dict[str, Any]:
    kept = settings.about()
    numbers = {name: version(name) for name in LIBRARIES}
    numbers |= {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    return {
        "version": 1,
        "command": shlex.join(["facewire", *sys.argv[1:]]),
        "model_id": kept["model_id"],
        "settings": kept,
        "anchors": {anchor.name: anchor.words() for anchor in ANCHORS if available(anchor)},
        "versions": {"python": platform.python_version(), **numbers},
        "missing": list(missing),
        "failed": list(failed),
    }


def _ratio_table(group: Group) -> RichTable:
    told = equal_table(group, group.quoted)
    table = RichTable(title=f"{group.name}, {group.size_px} px: {group.quoted}", caption=told.caption)
    for place, head in enumerate(told.heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    for row in told.rows:
        table.add_row(*row)
    return table
