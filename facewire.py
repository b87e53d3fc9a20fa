"""The command `facewire`: joins the packages' commands and says in one line what went wrong.

Each command lives in its own package and is imported only when it is the one asked for, so that `facewire --help`
and `facewire signal` start at once and never load torch.

Exit codes: 0 done, 1 the command failed (one line on stderr), 2 wrong usage, 130 interrupted.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

import typer


class Entry(NamedTuple):
    """Where a command's function is, or a `typer.Typer` with commands of its own; its line in `facewire --help`."""

    module: str
    function: str
    help: str
    panel: str


COMMANDS = {
    "call": Entry("call.cli", "call", "Call somebody: picture and sound both ways, in a page.", "Call"),
    "send": Entry("sender.cli", "send", "Send a clip or camera into a room.", "Call"),
    "receive": Entry("receiver.cli", "receive", "Receive a call, write it to a video file.", "Call"),
    "signal": Entry("signaling.cli", "signal", "Run the server through which two peers find each other.", "Call"),
    "room": Entry("signaling.new_room", "room", "Make a room on a guarded server: two links.", "Call"),
    "demo": Entry("replay.cli", "demo", "Play a clip through a whole call on this machine.", "Replay"),
    "compress": Entry("replay.cli", "compress", "Turn a clip of a face into a recording (.fwr).", "Replay"),
    "decompress": Entry("replay.cli", "decompress", "Render a recording to a video file.", "Replay"),
    "replay": Entry("replay.recordings_cli", "group", "Play a recording; look into it, cut it, check it.", "Replay"),
    "compare": Entry("replay.compare.cli", "compare", "Compare with H.264, H.265, VP9 and AV1: a report.", "Replay"),
    "animate": Entry("replay.cli", "animate", "Put the motion of a clip or recording on a picture.", "Replay"),
    "prepare": Entry("models.training.prepare", "prepare", "Make training data: landmarks and pose.", "Models"),
    "train": Entry("models.training.train", "train", "Train a model on prepared clips.", "Models"),
    "train-finder": Entry("models.training.finder", "train_finder", "Train the face finder.", "Models"),
    "validate-finder": Entry("models.training.finder_measure", "validate_finder", "Measure the face finder.", "Models"),
    "doctor": Entry("models.runtime.doctor", "doctor", "Measure this machine, show what is missing.", "Models"),
    "models": Entry("sender.fit_codec", "group", "Fit the codec to a model: `models fit-codec`.", "Models"),
    "fit-view": Entry("models.training.fit_view", "fit_view", "Measure how far heads may be turned.", "Models"),
    "fit-int8": Entry("models.training.fit_int8", "fit_int8", "Measure what rendering in 8 bits needs.", "Models"),
    "validate": Entry("models.training.evaluate", "validate", "Measure a model on prepared clips.", "Models"),
}

# Base errors whose message is one line for the user. A module that is not loaded cannot have raised.
USER_ERRORS = (
    "call.errors:CallError",
    "codec.errors:CodecError",
    "models.weights:WeightsError",
    "models.metrics:MetricsError",
    "models.training.errors:TrainingError",
    "receiver.errors:ReceiverError",
    "replay.errors:ReplayError",
    "sender.errors:SenderError",
    "signaling.errors:SignalingError",
)


def main() -> None:
    """Entry point of the console script; never returns normally."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit code. Errors of the packages become one line on stderr."""
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    try:
        build_app(chosen)(args=list(arguments), prog_name="facewire")
    except SystemExit as end:  # typer ends every command so, with its exit code
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if not isinstance(error, (OSError, *_loaded_errors())):
            raise  # a bug: its traceback is wanted whole
        return _fail(str(error), 1)
    return 0


def build_app(chosen: str | None = None) -> typer.Typer:
    """Build the typer app with the function behind `chosen` imported and the other commands as names alone."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,  # completion would have to import every command
        pretty_exceptions_enable=False,
        # panels for the list of commands; the options of one command take half the lines without boxes
        rich_markup_mode="rich" if chosen is None else None,
    )
    app.callback(help="Video calls in which motion crosses the wire instead of pixels.")(_options)
    for name, entry in COMMANDS.items():
        loaded = _load(entry) if name == chosen else _not_loaded
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=name)
            continue
        text = None if name == chosen else entry.help
        app.command(name, help=text, rich_help_panel=entry.panel)(loaded)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facewire {version('facewire')}")
        raise typer.Exit


def _options(
    show_version: bool = typer.Option(
        False, "--version", help="Print the version and end.", is_eager=True, callback=_print_version
    ),
) -> None:
    """Hold the options that come before the command."""


def _load(entry: Entry) -> Callable[..., Any] | typer.Typer:
    loaded: Callable[..., Any] | typer.Typer = getattr(import_module(entry.module), entry.function)
    return loaded


def _not_loaded() -> None:
    raise AssertionError("only the chosen command is run")


def _loaded_errors() -> tuple[type[Exception], ...]:
    places = (place.split(":") for place in USER_ERRORS)
    return tuple(getattr(sys.modules[module], name) for module, name in places if module in sys.modules)


def _fail(message: str, code: int) -> int:
    print("facewire:", " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
