"""The command `compare`. torch is imported when it runs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

Clips = Annotated[
    list[Path] | None,
    typer.Argument(help="Clips of a face, or folders of them; a folder's name is the name of its set."),
]


def compare(
    clips: Clips = None,
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.json, plots, videos; resumed.")] = Path(
        "compare"
    ),
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the model. [default: the shipped one]", envvar="FACEWIRE_WEIGHTS")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this codec, or `facewire 256`, `facewire 512 paper`; repeatable.")
    ] = None,
    first: Annotated[int, typer.Option(min=8, help="Use the first N frames of each clip.")] = 150,
    every: Annotated[int, typer.Option(min=1, help="Measure each Nth frame.")] = 6,
    lpips: Annotated[Path | None, typer.Option(help="LPIPS v0.1 SqueezeNet weights (safetensors).")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
    landmarks: Annotated[bool, typer.Option(help="Measure landmark distances (needs MediaPipe).")] = True,
    fid: Annotated[
        Path | None, typer.Option(help="Weights of FID's network (extra `fid`); its sha256 is checked.")
    ] = None,
    cross_identity: Annotated[
        bool, typer.Option("--cross-identity", help="Also: one person's motion on another's picture, and turned faces.")
    ] = False,
    videos: Annotated[int, typer.Option(min=0, help="Side-by-side videos of so many clips of each set.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
    ray: Annotated[
        str | None, typer.Option(help="Do it on a Ray cluster (extra `ray`): its address, or `auto`.")
    ] = None,
    ab: Annotated[
        Path | None, typer.Option(help="Rate the pairs of videos in this folder, which --out made, in a local page.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of that page; 0: any.")] = 0,
    report_only: Annotated[bool, typer.Option("--report-only", help="Measure nothing: report what is done.")] = False,
) -> None:
    """Send clips through facewire, H.264, H.265, VP9 and AV1, and say what equal pictures cost.

    Writes a report that needs nothing beside it, and report.json with `bits_ratio_at_equal_picture`. A run that was
    stopped goes on where it was; results hang on clip, weights and settings. With --ab people say which version of a
    clip they prefer; the choices go into choices.csv.
    """
    if ab is not None:
        from replay.rating.sitting import sit

        sit(ab, port, typer.echo)
        return
    if not clips:
        raise typer.BadParameter("expected clips to compare, or --ab with a folder to rate, got neither")
    from replay.compare.report import Options, make_report

    measured = Options(weights, only, first, every, lpips, mediapipe_python, landmarks, fid, videos, workers, ray)
    asked = replace(measured, report_only=report_only, cross_identity=cross_identity)
    make_report(clips, out, asked)
