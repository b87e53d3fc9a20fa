"""`facewire receive`: takes a call and writes it to a video file."""

from pathlib import Path
from typing import Annotated

import typer

from codec.recording import check_recording
from receiver.look import FrontaliseOption, SizeOption, ViewOption
from receiver.settings import ReceiveSettings
from receiver.show import check_output, check_writable
from signaling.options import IceServerOption, RelayOnlyOption, read_transport
from signaling.room_link import RoomLink
from signaling.settings import read_settings
from signaling.terminal import run, write_report


def receive(
    room: Annotated[str, typer.Option(help="Name of the room, the same on both sides; or its link.")],
    output: Annotated[Path, typer.Option(help="Video file to write: .mp4, .mov or .mkv.")],
    server: Annotated[str | None, typer.Option(help="Signaling server. Default: ws://127.0.0.1:8765.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the model; both sides need the same. Default: the shipped one.")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Also keep what crossed the wire, both ways, as .fwr.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the call's figures here, as JSON.")] = None,
    wait: Annotated[float | None, typer.Option(help="Seconds to wait for the sender. Default: 60.")] = None,
    source_cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps source pictures for the next call. Default: none.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads of one network operation. Default: half the cores.")
    ] = None,
    live: Annotated[bool | None, typer.Option("--live", help="Write what a screen would have shown.")] = None,
    show_fps: Annotated[
        float | None, typer.Option(help="Pictures a second, interpolated. Default: as sent; live: 30.")
    ] = None,
    view: ViewOption = None,
    frontalise: FrontaliseOption = None,
    size: SizeOption = None,
    ice_server: IceServerOption = None,
    relay_only: RelayOnlyOption = None,
) -> None:
    """Take a call and write what is seen to a video file. May be started before the sender.

    Ends when the sender hangs up, or with Ctrl-C. Exit code 0 for a call that ended well; whatever came is written.
    """
    link = RoomLink.parse(room) if "/" in room else None
    transport = read_transport(ice_server, relay_only)
    settings = read_settings(
        ReceiveSettings,
        server=server if link is None else link.server,
        weights=weights,
        wait_s=wait,
        torch_threads=threads,
        source_cache=source_cache,
        live=live,
        show_fps=show_fps,
        view=view,
        frontalise=frontalise,
        size=size,
    )
    _ = settings.look  # before anything is loaded
    check_output(output)
    if record is not None:
        check_recording(record)
    if report is not None:
        check_writable(report)
    # torch takes seconds to import: not for --help, and not for an output that cannot be written
    import torch

    from models.runtime.prepare import prepare
    from models.weights import default_device, load_model
    from receiver.session import ReceiveSession
    from signaling.ways import Ways

    torch.set_num_threads(settings.torch_threads)
    model = load_model(settings.weights, default_device())
    if settings.runtime == "auto":
        model = prepare(model, ["render"], say=_say).model
    name, token = (room, None) if link is None else (link.room, link.token)
    ways = Ways(transport)
    session = ReceiveSession(settings, name, output, model, record, say=_say, token=token, ways=ways)
    try:
        run(session.run())
        _say(f"{session.report.ended}: {session.report.line()}")
    except KeyboardInterrupt:
        _say(f"{session.report.ended}: {session.report.line()}")
        raise
    finally:
        write_report(report, session.report.as_dict())


def _say(line: str) -> None:
    typer.echo(f"receive: {line}")
