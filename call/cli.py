"""`facewire call`: a two-way call, with its page in the browser or without."""

import asyncio
import webbrowser
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from call.room_link import RoomLink, new_room
from call.settings import CallSettings
from codec.recording import check_recording
from receiver.look import SizeOption
from receiver.show import check_output, check_writable
from sender.camera import check_source
from signaling.options import IceServerOption, RelayOnlyOption, read_transport
from signaling.settings import TransportSettings, read_settings
from signaling.terminal import run, write_report

if TYPE_CHECKING:
    from models.weights import Model


def call(
    link: Annotated[
        str | None,
        typer.Argument(metavar="[ROOM-LINK]", help="The link that the other side gave. Without: a new room."),
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="Signaling server for a new room. Default: one here, for the local network.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the model; both sides need the same. Default: the shipped one.")
    ] = None,
    port: Annotated[int, typer.Option(help="TCP port of the page on 127.0.0.1. Default: a free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the page's address, open nothing.")] = False,
    input: Annotated[str | None, typer.Option(help="No page: a video file, or camera, is filmed and heard.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="No page: play the clip until the other side leaves.")] = False,
    output: Annotated[Path | None, typer.Option(help="No page: what is seen and heard, as .mp4.")] = None,
    record: Annotated[Path | None, typer.Option(help="Record the whole call, both sides, as .fwr.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the call's figures here, as JSON.")] = None,
    max_kbps: Annotated[float | None, typer.Option(help="Limit of one direction on the wire. Default: 30.")] = None,
    size: SizeOption = None,
    wait: Annotated[float | None, typer.Option(help="Seconds to wait for somebody to come. Default: 3600.")] = None,
    ice_server: IceServerOption = None,
    relay_only: RelayOnlyOption = None,
    forget: Annotated[bool, typer.Option("--forget", help="First delete the kept pictures of others.")] = False,
) -> None:
    """Call somebody: picture and sound in 30 kbps. Opens a page; give the printed link to the other side.

    Ends when either side hangs up or closes its page, or with Ctrl-C.
    """
    settings = read_settings(CallSettings, server=server, weights=weights, max_kbps=max_kbps, size=size, wait_s=wait)
    transport = read_transport(ice_server, relay_only)
    joined = RoomLink.parse(link) if link else None
    if output is not None and input is None:
        raise typer.BadParameter("expected --input CLIP beside --output: without a page something else must be filmed")
    if loop and input is None:
        raise typer.BadParameter("expected --input CLIP beside --loop: there is nothing to play again")
    if input is not None:
        check_source(input)
    if output is not None:
        check_output(output)
    if report is not None:
        check_writable(report)
    if record is not None:
        check_recording(record)
    if forget and settings.source_cache is not None:
        _say(f"{forget_sources(settings.source_cache)} kept pictures deleted")
    model = _load(settings)
    if input is None:
        run(_with_page(settings, transport, joined, model, port, not no_browser, report, record))
    else:
        run(_without_page(settings, transport, joined, model, input, loop, output, report, record))


def forget_sources(folder: Path) -> int:
    """Delete the kept pictures of others; returns how many there were."""
    pictures = [path for path in folder.glob("*") if len(path.name) == 64] if folder.is_dir() else []
    for path in pictures:
        path.unlink(missing_ok=True)
    return len(pictures)


def _load(settings: CallSettings) -> "Model":
    # torch takes seconds to import: not for --help, and not for a link that is none
    import torch

    from models.runtime.prepare import prepare
    from models.weights import default_device, load_model

    torch.set_num_threads(settings.torch_threads)
    model = load_model(settings.weights, default_device())
    return prepare(model, ["extract", "render"], say=_say).model if settings.runtime == "auto" else model


async def _room(stack: AsyncExitStack, settings: CallSettings, joined: RoomLink | None) -> RoomLink:
    from call.hosting import hosted_server

    if joined is not None:
        return joined
    server = settings.server
    if server is None:
        server = await stack.enter_async_context(hosted_server())
    return RoomLink(server, new_room())


async def _with_page(
    settings: CallSettings,
    transport: TransportSettings,
    joined: RoomLink | None,
    model: "Model",
    port: int,
    browse: bool,
    report: Path | None,
    record: Path | None,
) -> None:
    from call.engine import Engine
    from call.page_front import PageFront
    from call.server import PageServer
    from signaling.ways import Ways

    def ready(url: str) -> None:
        _say(f"the page is at {url}")
        if browse:
            webbrowser.open(url)

    async with AsyncExitStack() as stack:
        room = await _room(stack, settings, joined)
        front = PageFront()
        engine = Engine(settings, room, model, front, ways=Ways(transport))
        if record is not None:
            engine.taping.begin(record)
        page = PageServer(engine, front, settings.page_gone_s)
        serving = asyncio.create_task(page.run(port, ready), name="page")
        calling = asyncio.create_task(engine.run(), name="call")
        if joined is None:
            _say(f"the other side joins with:  facewire call {room}")
        try:
            await asyncio.wait((serving, calling), return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                await asyncio.sleep(0.5)  # the page is told why
                _say(f"ended: {calling.result()}")
            else:
                serving.result()
        finally:
            for task in (calling, serving):
                task.cancel()
            await asyncio.gather(calling, serving, return_exceptions=True)
            write_report(report, engine.figures())
        if engine.taping.error is not None:
            raise engine.taping.error


async def _without_page(
    settings: CallSettings,
    transport: TransportSettings,
    joined: RoomLink | None,
    model: "Model",
    input_name: str,
    loop: bool,
    output: Path | None,
    report: Path | None,
    record: Path | None,
) -> None:
    from call.engine import Engine
    from call.headless import FileFront, call_headless
    from signaling.ways import Ways

    async with AsyncExitStack() as stack:
        room = await _room(stack, settings, joined)
        if joined is None:
            _say(f"the other side joins with:  facewire call {room}")
        front = FileFront(output, settings.frame_rate, _say)
        engine = Engine(settings, room, model, front, ways=Ways(transport))
        if record is not None:
            engine.taping.begin(record)
        try:
            await call_headless(engine, front, input_name, loop)
        finally:
            write_report(report, engine.figures() | front.figures())
        if engine.taping.error is not None:
            raise engine.taping.error


def _say(line: str) -> None:
    typer.echo(f"call: {line}")
