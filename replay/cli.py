"""The commands `compress`, `decompress`, `animate` and `demo`. torch is imported when one of them runs."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from receiver.look import FrontaliseOption, SizeOption, ViewOption, read_look

Weights = Annotated[
    Path | None, typer.Option(help="Folder of the model. [default: the shipped one]", envvar="FACEWIRE_WEIGHTS")
]
Output = Annotated[Path, typer.Argument(help="Video file to write: .mp4, .mov or .mkv.")]


Recording = Annotated[Path, typer.Argument(help="A recording, .fwr.")]


class ProfileName(Enum):
    """How motion is coded (codec/FORMAT.md)."""

    PAPER = "paper"
    PREDICTIVE = "predictive"


class LevelName(Enum):
    """How finely: 0.25, 0.5 or 1 px of keypoint error in a picture of 256 px."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class StartName(Enum):
    """Where relative motion starts."""

    NEAREST = "nearest"
    FIRST = "first"


def compress(
    clip: Annotated[Path, typer.Argument(help="A video of one face.")],
    output: Annotated[Path, typer.Argument(help="Recording to write, .fwr.")],
    profile: Annotated[ProfileName, typer.Option(help="How motion is coded.")] = ProfileName.PREDICTIVE,
    level: Annotated[
        LevelName, typer.Option(help="Keypoint error that is allowed: 0.25, 0.5 or 1 px of 256.")
    ] = LevelName.HIGH,
    keypoints: Annotated[
        str, typer.Option(help="Profile paper: all, adaptive (as few as the level allows) or a number.")
    ] = "all",
    steady: Annotated[
        bool | None, typer.Option("--steady/--no-steady", help="Take the tremble out of motion. Default: yes.")
    ] = None,
    sound: Annotated[
        bool | None, typer.Option("--sound/--no-sound", help="Keep the clip's sound. Default: yes.")
    ] = None,
    weights: Weights = None,
) -> None:
    """Turn a clip into a recording: a picture of the face, the motion of every frame at its own time, and the sound.

    `facewire decompress` makes a video of it again. Frames without a face hold the motion before them.
    """
    from sender.camera import check_source
    from sender.compress import Coding, check_output, compress_clip

    check_source(str(clip))
    check_output(output)
    from codec.wire import Level, Profile
    from models.runtime.prepare import prepare
    from models.weights import default_device, load_model
    from replay.render import show_frames
    from sender.settings import SendSettings
    from signaling.settings import read_settings

    settings = read_settings(SendSettings, weights=weights, steady=steady, sound=sound)
    model = load_model(settings.weights, default_device())
    if settings.runtime == "auto":
        model = prepare(model, ["extract"], say=lambda line: typer.echo(f"compress: {line}", err=True)).model
    coding = Coding(Profile[profile.name], Level[level.name], keypoints)
    done = compress_clip(clip, output, model, settings, coding, show_frames(clip.name))
    typer.echo(
        f"compress: {done.frames} frames in {output}: {done.media_bytes} B of motion, "
        f"{done.media_bytes / done.frames:.2f} B a frame, {done.sound_bytes} B of sound, "
        f"and a source picture of {done.source_bytes} B"
    )
    if done.sound_error:
        typer.echo(f"compress: the sound ends early: {done.sound_error}")
    if done.frames_held:
        typer.echo(f"compress: {done.frames_held} of the frames show no face and hold the motion before them")


def decompress(
    recording: Recording,
    output: Output,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    weights: Weights = None,
) -> None:
    """Render a recording: every frame that was received, at the time at which it was captured.

    Of a damaged recording the frames before the damage are written, and the exit code is 1.
    """
    look = read_look(view, frontalise, size)
    from models.weights import default_device, load_model
    from replay.decompress import decompress_recording

    frames = decompress_recording(recording, output, load_model(weights, default_device()), look=look)
    typer.echo(f"decompress: {frames} frames in {output}")


def animate(
    portrait: Annotated[Path, typer.Argument(help="A picture of a face: JPEG, PNG or WebP.")],
    driver: Annotated[Path, typer.Argument(help="Whose motion: a clip, or a recorded call (.fwr).")],
    output: Output,
    relative: Annotated[
        bool,
        typer.Option(
            "--relative/--absolute",
            help="Carry over the change since one frame of the driver, or pose and expression as they are.",
        ),
    ] = True,
    start: Annotated[
        StartName, typer.Option(help="The frame that relative motion counts from: the one most like the portrait.")
    ] = StartName.NEAREST,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    weights: Weights = None,
) -> None:
    """Put the motion of a clip or recording on a picture.

    With --relative the portrait keeps its own pose and expression where the driver is most like it; with --start first
    it begins with them.
    """
    look = read_look(view, frontalise, size)
    from models.weights import default_device, load_model
    from replay.animate import animate_picture

    model = load_model(weights, default_device())
    frames = animate_picture(portrait, driver, output, model, relative=relative, look=look, start=start.value)
    typer.echo(f"animate: {frames} frames in {output}")


def demo(
    input: Annotated[
        Path | None, typer.Option(help="A clip of a face. [default: the one that facewire brings]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for what comes of it.")] = Path("demo"),
    page: Annotated[
        bool | None,
        typer.Option("--page/--headless", help="A call in the browser, or files. [default: is somebody there?]"),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the page's address, open nothing.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Play no more of the clip than this.", min=1.0)] = None,
    weights: Weights = None,
) -> None:
    """Make a whole call on this machine.

    With a terminal and a display: your browser opens the page of a call, and the other side is a clip.
    Else: a clip goes from a sender to a receiver, and what went in beside what came out, the recorded call and every
    figure are left in a folder as side_by_side.mp4, call.fwr and report.json.
    """
    from replay.demo_page import run_page_demo, somebody_is_there

    if page if page is not None else somebody_is_there():
        from replay.demo import DEFAULT_CLIP, check_clip

        check_clip(input or DEFAULT_CLIP, weights)
        out.mkdir(parents=True, exist_ok=True)
        run_page_demo(input or DEFAULT_CLIP, out, weights, open_page=not no_browser)
        return
    from replay.demo import run_demo

    run_demo(input, out, seconds, weights)
