"""The commands `facewire decompress`, `animate` and `demo`. What they need of torch is imported when they run."""

from pathlib import Path
from typing import Annotated

import typer

from receiver.look import FrontaliseOption, SizeOption, ViewOption, read_look

Weights = Annotated[
    Path | None, typer.Option(help="Folder of the model. [default: the shipped one]", envvar="FACEWIRE_WEIGHTS")
]
Output = Annotated[Path, typer.Argument(help="Video file to write: .mp4, .mov or .mkv.")]


def decompress(
    recording: Annotated[Path, typer.Argument(help="A recorded call, .fwr.")],
    output: Output,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    weights: Weights = None,
) -> None:
    """Render a recorded call: every frame that was received, at the time at which it was captured.

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
            help="Carry over the change since the driver's first frame, or pose and expression as they are.",
        ),
    ] = True,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    weights: Weights = None,
) -> None:
    """Put the motion of a clip or recording on a picture.

    With --relative the portrait starts as it is; choose a driver whose first frame has a similar expression.
    """
    look = read_look(view, frontalise, size)
    from models.weights import default_device, load_model
    from replay.animate import animate_picture

    model = load_model(weights, default_device())
    frames = animate_picture(portrait, driver, output, model, relative=relative, look=look)
    typer.echo(f"animate: {frames} frames in {output}")


def demo(
    input: Annotated[
        Path | None, typer.Option(help="A clip of a face. [default: the one that facewire brings]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for side_by_side.mp4, call.fwr and report.json.")] = Path("demo"),
    seconds: Annotated[float | None, typer.Option(help="Play no more of the clip than this.", min=1.0)] = None,
    weights: Weights = None,
) -> None:
    """Play a clip through a whole call on this machine: signaling, sender and receiver as three programs.

    Leaves the input beside what came out, the recorded call and every figure in a folder, and prints a table.
    """
    from replay.demo import run_demo

    run_demo(input, out, seconds, weights)
