"""`facewire replay`: recordings played, looked into, cut, listed and checked. torch is imported when it is needed."""

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from receiver.look import FrontaliseOption, SizeOption, ViewOption, read_look

if TYPE_CHECKING:
    from models.weights import Model
    from replay.play import Playing

Recording = Annotated[Path, typer.Argument(help="A recording, .fwr.")]
Weights = Annotated[
    Path | None, typer.Option(help="Folder of the model. [default: the shipped one]", envvar="FACEWIRE_WEIGHTS")
]


class PlayGroup(TyperGroup):
    """`facewire replay call.fwr` is short for `facewire replay play call.fwr`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `play` before a recording."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["play", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(
    cls=PlayGroup,
    help="Play a recording: `facewire replay call.fwr`; or look into it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Side(Enum):
    """Whose face."""

    THEM = "them"
    ME = "me"


@group.callback()
def _replay() -> None:
    """Play a recording: `facewire replay call.fwr` is short for `facewire replay play call.fwr`; or look into it."""


@group.command("play")
def play(
    recording: Recording,
    output: Annotated[Path | None, typer.Option(help="Write a video: .mp4, .mov, .mkv. Without: a page.")] = None,
    side: Annotated[Side | None, typer.Option(help="Whose face: them or me. Default: them.")] = None,
    speed: Annotated[float, typer.Option(help="Times as fast.", min=0.05, max=100.0)] = 1.0,
    live: Annotated[bool, typer.Option("--live", help="What a screen showed, by the recorded arrivals.")] = False,
    show_fps: Annotated[float | None, typer.Option(help="Pictures a second, interpolated.", min=1, max=240)] = None,
    source: Annotated[Path | None, typer.Option(help="Put the motion on this picture.")] = None,
    relative: Annotated[
        bool, typer.Option("--relative/--absolute", help="With --source: the change of pose, or pose as it is.")
    ] = True,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    weights: Weights = None,
    recorded_with: Annotated[
        Path | None, typer.Option(help="Folder of the model it was made with, to render with another one.")
    ] = None,
    drop: Annotated[float, typer.Option(help="Send it again, with this share of packets lost.")] = 0.0,
    delay: Annotated[float, typer.Option(help="... so many ms on the way.")] = 0.0,
    jitter: Annotated[float, typer.Option(help="... and up to so many more.")] = 0.0,
    reorder: Annotated[float, typer.Option(help="... this share of packets overtaken.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Which packets are lost and overtaken.", min=0)] = 0,
    digest: Annotated[
        bool, typer.Option("--digest", help="Print what it came to; plain torch on one thread, equal on every run.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the page's address, open nothing.")] = False,
) -> None:
    """Play a recording: in a page at its own pace, faster or frame by frame; or into a video file.

    With --drop, --delay, --jitter or --reorder its motion is sent once more over such a link. Of a damaged recording
    what is good before the damage is played, and the exit code is 1.
    """
    from receiver.show import check_output, check_writable

    look = read_look(view, frontalise, size)
    if output is not None:
        check_output(output)
    if report is not None:
        check_writable(report)
    from codec.recording_records import Direction
    from replay.conditions import Conditions
    from replay.errors import DamagedRecording
    from replay.play import Playing, Wish
    from replay.render import show_frames
    from signaling.terminal import write_report

    conditions = Conditions(drop, delay, jitter, reorder, seed)
    direction = None if side is None else {Side.THEM: Direction.RECEIVED, Side.ME: Direction.SENT}[side]
    wish = Wish(direction, live, show_fps, look, source, relative, conditions)
    model = _load(weights, plain=digest)
    playing = Playing(recording, model, wish, recorded_with)
    if output is None and not digest:
        _in_page(playing, recording, speed, no_browser)
        return
    progress = show_frames(recording.name)
    played = playing.measure(progress) if output is None else playing.write(output, speed, progress)
    write_report(report, played.as_dict())
    if output is not None:
        typer.echo(f"replay: {played.frames} frames, {played.seconds:.2f} s, in {output}")
    if digest:
        typer.echo(f"integers {played.integers_sha256}")
        typer.echo(f"pictures {played.pictures_sha256}")
    if played.damage is not None:
        raise DamagedRecording(f"{recording}: {played.damage}; the {played.frames} frames before that were played")


def _load(weights: Path | None, plain: bool) -> "Model":
    import torch

    from models.runtime.prepare import prepare
    from models.weights import default_device, load_model
    from receiver.settings import ReceiveSettings
    from signaling.settings import read_settings

    settings = read_settings(ReceiveSettings)
    torch.set_num_threads(1 if plain else settings.torch_threads)
    model = load_model(weights, default_device())
    if plain or settings.runtime != "auto":
        return model
    return prepare(model, ["render"], say=lambda line: typer.echo(f"replay: {line}", err=True)).model


def _in_page(playing: "Playing", recording: Path, speed: float, no_browser: bool) -> None:
    import webbrowser
    from contextlib import closing

    from replay.player.server import Player, serve_player
    from signaling.terminal import run

    def ready(url: str) -> None:
        typer.echo(f"replay: the page is at {url}   (Ctrl-C ends it)")
        if not no_browser:
            webbrowser.open(url)

    with closing(Player(playing, recording.name, speed)) as player:
        run(serve_player(player, 0, ready))


@group.command("info")
def info(
    recording: Recording,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    weights: Weights = None,
) -> None:
    """Say what a recording holds: frames, bytes, rates, pictures, how it is coded.

    Of a damaged recording what is before the damage is counted, and the exit code is 1.
    """
    from models.weights import load_model
    from replay.errors import DamagedRecording
    from replay.info import info_table, read_info

    found = read_info(recording, load_model(weights))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        Console().print(info_table(recording.name, found))
    if found.damage is not None:
        raise DamagedRecording(f"{recording}: {found.damage}")


@group.command("dump")
def dump(
    recording: Recording,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON each, with motion and integers.")] = False,
    with_bytes: Annotated[bool, typer.Option("--bytes", help="In JSON: messages in hexadecimal, too.")] = False,
    weights: Weights = None,
) -> None:
    """Print every message, picture and figure of a recording with its time, a line each."""
    from models.weights import load_model
    from replay.dump import dump as dumped
    from replay.dump import line
    from replay.motions import open_recording

    model = load_model(weights)
    for about in dumped(open_recording(recording, model), model.codec_tables, with_bytes):
        typer.echo(json.dumps(about) if as_json else line(about))


@group.command("cut")
def cut(
    recording: Recording,
    output: Annotated[Path, typer.Argument(help="The part, .fwr.")],
    from_s: Annotated[float, typer.Option("--from", help="Seconds since the recording began.", min=0)] = 0.0,
    to_s: Annotated[float, typer.Option("--to", help="Up to here, in seconds. Default: its end.")] = float("inf"),
    weights: Weights = None,
) -> None:
    """Make a recording of a part of one, with what is needed to play it."""
    from models.weights import load_model
    from replay.cut import cut_recording
    from replay.motions import open_recording

    model = load_model(weights)
    open_recording(recording, model)
    count = cut_recording(recording, output, from_s, to_s, model.codec_tables)
    typer.echo(f"cut: {count} records in {output}")


@group.command("list")
def list_recordings(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the recordings of a folder: how long they are, what crossed, whether they are whole."""
    from replay.dump import list_folder

    found = list_folder(folder)
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found], indent=2))
        return
    table = Table("recording", "seconds", "received", "sent", "pictures", "bytes", "model", "end")
    for one in found:
        counts = (f"{one.seconds:.1f}", str(one.received), str(one.sent), str(one.pictures), str(one.file_bytes))
        table.add_row(one.name, *counts, one.model_id[:12], one.end)
    Console().print(table)


@group.command("check")
def check_recordings(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings.")],
    baseline: Annotated[Path, typer.Option(help="What they came to before, .json; its pictures lie beside it.")],
    update: Annotated[bool, typer.Option("--update", help="Write the baseline anew.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for pictures of the calls that got worse.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    weights: Weights = None,
) -> None:
    """Play every recording again and say which calls got worse than the baseline, with pictures of before and now.

    Exit code 1 where one did.
    """
    from replay.check import as_dict, check, make_baseline
    from replay.errors import CheckError

    model = _load(weights, plain=True)
    if update:
        typer.echo(f"check: {len(make_baseline(folder, baseline, model))} recordings in {baseline}")
        return
    out = out or folder / "worse"
    verdicts = check(folder, baseline, model, out, lambda name: typer.echo(f"check: {name}", err=True))
    if as_json:
        typer.echo(json.dumps(as_dict(verdicts), indent=2))
    for verdict in [] if as_json else verdicts:
        typer.echo(f"{verdict.name}: {'worse' if verdict.worse else 'as before' if not verdict.better else 'better'}")
        for words in (*verdict.worse, *verdict.better):
            typer.echo(f"    {words}")
        if verdict.sheet is not None:
            typer.echo(f"    side by side: {verdict.sheet}")
    worse = [verdict.name for verdict in verdicts if verdict.worse]
    if worse:
        raise CheckError(f"expected every call to be as good as before, worse: {', '.join(worse)}")
