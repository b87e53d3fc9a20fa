"""`facewire send`: sends a clip or camera into a room."""

from pathlib import Path
from typing import Annotated

import typer

from codec.recording import check_recording
from sender.camera import check_source
from sender.settings import SendSettings
from signaling.options import IceServerOption, RelayOnlyOption, read_transport
from signaling.room_link import RoomLink
from signaling.settings import read_settings
from signaling.terminal import run, write_report


def send(
    room: Annotated[str, typer.Option(help="Name of the room, the same on both sides; or its link.")],
    input: Annotated[str, typer.Option(help="A video file, or camera, camera:1, ...")],
    server: Annotated[str | None, typer.Option(help="Signaling server. Default: ws://127.0.0.1:8765.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the model; both sides need the same. Default: the shipped one.")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Also keep what crossed the wire, both ways, as .fwr.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the call's figures here, as JSON.")] = None,
    wait: Annotated[float | None, typer.Option(help="Seconds to wait for the receiver. Default: 60.")] = None,
    max_kbps: Annotated[float | None, typer.Option(help="Most to send, headers included. Default: 30.")] = None,
    level: Annotated[str | None, typer.Option(help="Finest motion: high, medium or low. Default: high.")] = None,
    profile: Annotated[str | None, typer.Option(help="How motion is coded: predictive or paper.")] = None,
    message_interval_ms: Annotated[
        float | None,
        typer.Option(help="Frames of this time share one message, and all are sent. Default: as the link allows."),
    ] = None,
    face_threshold: Annotated[
        float | None, typer.Option(help="Face score that is needed, 0 to 1. Default: 0.5.")
    ] = None,
    sound: Annotated[
        bool | None, typer.Option("--sound/--no-sound", help="Send the clip's sound. Default: yes.")
    ] = None,
    steady: Annotated[
        bool | None, typer.Option("--steady/--no-steady", help="Take the tremble out of motion. Default: yes.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of one network operation. Default: 1.")] = None,
    ice_server: IceServerOption = None,
    relay_only: RelayOnlyOption = None,
) -> None:
    """Send a clip or camera into a room: motion and sound cross the wire, and one picture of the face at the start.

    Ends with the clip, with Ctrl-C, or when the receiver hangs up. Exit code 0 for a call that ended well.
    """
    link = RoomLink.parse(room) if "/" in room else None
    transport = read_transport(ice_server, relay_only)
    settings = read_settings(
        SendSettings,
        server=server if link is None else link.server,
        weights=weights,
        wait_s=wait,
        max_kbps=max_kbps,
        level=level,
        profile=profile,
        message_interval_ms=message_interval_ms,
        face_threshold=face_threshold,
        sound=sound,
        steady=steady,
        torch_threads=threads,
    )
    check_source(input)
    if record is not None:
        check_recording(record)
    # torch takes seconds to import: not for --help, and not for a file that is no clip
    import torch

    from models.runtime.prepare import prepare
    from models.weights import default_device, load_model
    from sender.session import SendSession
    from signaling.ways import Ways

    torch.set_num_threads(settings.torch_threads)
    model = load_model(settings.weights, default_device())
    if settings.runtime == "auto":
        model = prepare(model, ["extract"], say=_say).model
    name, token = (room, None) if link is None else (link.room, link.token)
    session = SendSession(settings, name, input, model, say=_say, token=token, ways=Ways(transport), record=record)
    try:
        run(session.run())
        _say(f"{session.report.ended}: {session.report.line()}")
    except KeyboardInterrupt:
        _say(f"{session.report.ended}: {session.report.line()}")
        raise
    finally:
        write_report(report, session.report.as_dict())


def _say(line: str) -> None:
    typer.echo(f"send: {line}")
