"""The demo: a clip through a whole call on this machine, with three real programs, measured and drawn.

clip -> facewire send ======= WebRTC =======> facewire receive -> received.mp4, call.fwr
              |_______ facewire signal ________|
"""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from rich.console import Console

from codec.recording import RecordingReader
from models.weights import Model, default_device, load_model
from receiver.show import VideoWriter
from receiver.source import decode_source
from replay.motions import open_clip
from replay.pairs import pair_files
from replay.picture import measure_pictures
from replay.programs import Program, wait_for_all
from replay.render import SoundBeside, video_crf
from replay.report import check_against_recording, count_recording, join_reports, report_table
from replay.side_by_side import Figure, SideBySide
from sender.camera import Clip
from sender.clip_sound import clip_sound, has_sound
from sender.crop import RecordedCropper
from sender.crop_square import Square
from sender.extract import Extractor
from sender.settings import SendSettings
from signaling.settings import read_settings

DEFAULT_CLIP = Path(__file__).with_name("assets") / "demo.mp4"
MOST_MEASURED = 250
"""Frames that PSNR, SSIM and LPIPS are taken of, evenly spread; more would take longer than the call."""
START_S = 120.0
"""A slow machine needs this long to load torch three times."""
SLOWEST = 40.0
"""How many times slower than the clip rendering may be before the demo gives up."""
EVERY_FRAME = ("--message-interval-ms", "60")
"""A given interval: rate control leaves no frame out where both programs share too few cores."""


@dataclass(frozen=True)
class Files:
    """What the demo leaves in its folder."""

    folder: Path

    @property
    def received(self) -> Path:
        """The receiver's video."""
        return self.folder / "received.mp4"

    @property
    def recording(self) -> Path:
        """What crossed the wire."""
        return self.folder / "call.fwr"

    @property
    def report(self) -> Path:
        """Every figure."""
        return self.folder / "report.json"

    @property
    def side_by_side(self) -> Path:
        """Camera and what came out."""
        return self.folder / "side_by_side.mp4"


def run_demo(clip: Path | None, folder: Path, seconds: float | None, weights: Path | None) -> dict[str, Any]:
    """Run the demo and return report.json's content.

    Args: clip: None is the one in the repository. folder: made where it is missing. seconds: of the clip, None for all.
        weights: folder of the model, None for the shipped one.
    Raises: InputError, NoFace, WeightsError, DemoError with the words of a program that failed, OSError.
    """
    console = Console()
    clip = clip or DEFAULT_CLIP
    check_clip(clip, weights)
    model = load_model(weights, default_device())
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder)
    with TemporaryDirectory(prefix="facewire-demo-") as scratch:
        played = cut_clip(clip, Path(scratch) / f"clip{clip.suffix}", seconds) if seconds else clip
        with console.status(f"a call with {clip.name} ..."):
            sender, receiver = play_call(played, files, weights, Path(scratch))
        with console.status("comparing pictures ..."):
            report = {"clip": clip.name} | measure_call(played, files, model, sender, receiver)
            files.report.write_text(json.dumps(report, indent=2) + "\n")
        with console.status("drawing them side by side ..."):
            draw_side_by_side(played, sender, files, model, report)
    console.print(report_table(report))
    for path in (files.side_by_side, files.recording, files.report):
        console.print(f"{path}  {path.stat().st_size / 1000:.0f} kB", highlight=False)
    return report


def check_clip(clip: Path, weights: Path | None) -> None:
    """Raise InputError or NoFace for a clip that no call can be made with, before programs are started."""
    model = load_model(weights, default_device())
    with closing(Extractor(model)) as extractor:
        opened, _ = open_clip(clip, model, extractor, read_settings(SendSettings))
        opened.close()


def cut_clip(clip: Path, part: Path, seconds: float) -> Path:
    """Copy the first `seconds` of a clip's pictures, and of its sound, without coding them again."""
    with av.open(str(clip)) as container, av.open(str(part), "w") as output:
        streams = [container.streams.video[0], *container.streams.audio[:1]]
        copies = {stream.index: output.add_stream_from_template(stream) for stream in streams}
        for packet in container.demux(streams):
            if packet.dts is None or packet.time_base is None:
                continue  # the empty packet at the end
            if packet.dts * packet.time_base >= seconds:
                continue  # in decoding order, so that every frame copied finds those it refers to
            packet.stream = copies[packet.stream.index]
            output.mux(packet)
    return part


def play_call(clip: Path, files: Files, weights: Path | None, scratch: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the call; returns both programs' reports. Raises DemoError; no program outlives it."""
    common = ["--room", "demo", "--wait", str(START_S), "--threads", str(max(1, (os.cpu_count() or 2) // 2))]
    common += ["--weights", str(weights)] if weights else []
    reports = scratch / "send.json", scratch / "receive.json"
    for stale in (files.received, files.recording):
        stale.unlink(missing_ok=True)
    with Program("signal", ["--port", "0"], scratch / "signal.log") as signal:
        common += ["--server", signal.wait_for(r"ready on (ws://\S+)", START_S)[1]]
        to = ["--output", str(files.received), "--record", str(files.recording), "--report", str(reports[1])]
        with (
            Program("receive", [*common, *to], scratch / "receive.log") as receiver,
            Program(
                "send", [*common, *EVERY_FRAME, "--input", str(clip), "--report", str(reports[0])], scratch / "send.log"
            ) as sender,
        ):
            wait_for_all([sender, receiver], 2 * START_S + SLOWEST * _length_s(clip))
    return json.loads(reports[0].read_text()), json.loads(reports[1].read_text())


def measure_call(
    clip: Path, files: Files, model: Model, sender: dict[str, Any], receiver: dict[str, Any]
) -> dict[str, Any]:
    """Join the programs' figures, hold them against the recording, and compare the pictures."""
    check_against_recording(receiver, count_recording(files.recording, model.codec_tables))
    sent = RecordingReader(files.recording).source()
    source = decode_source(sent.picture, sent.mime, model.config.size)
    pairs = pair_files(clip, sent_crop(sender, model.config.size), files.received)
    fresh = ((pair.camera, pair.shown) for pair in pairs if pair.fresh and pair.shown is not None)
    step = 1 + receiver["frames_shown"] // (MOST_MEASURED + 1)
    likeness = measure_pictures(islice(fresh, 0, None, step), source)
    with closing(Clip(clip)) as opened:
        rate = opened.frame_rate
    media_s = sender["frames_captured"] / rate if rate else sender["duration_s"]
    about = {"fps": round(rate, 3), "model_id": model.model_id, "preset": model.config.preset}
    return about | join_reports(sender, receiver, media_s, likeness)


def sent_crop(sender: dict[str, Any], size: int) -> RecordedCropper:
    """The crop that the sender says it cut out of each frame."""
    return RecordedCropper([(time_s, Square(*square)) for time_s, *square in sender["crop_px"]], size)


def draw_side_by_side(clip: Path, sender: dict[str, Any], files: Files, model: Model, report: dict[str, Any]) -> None:
    """Write side_by_side.mp4: every camera frame, and what was on the screen then."""
    drawer = SideBySide(("camera", "rendered from motion"))
    heard = has_sound(files.received)
    sounds = SoundBeside(clip_sound(files.received) if heard else ())
    with closing(VideoWriter(files.side_by_side, report["fps"], video_crf(), heard)) as writer:
        for pair in pair_files(clip, sent_crop(sender, model.config.size), files.received):
            figures = [Figure("time", f"{pair.time_s:.2f} s"), *call_figures(report)]
            sounds.hear_until(writer, pair.time_s)
            writer.write(drawer.draw(pair.camera, pair.shown, figures), pair.time_s)


def call_figures(report: dict[str, Any]) -> list[Figure]:
    """The figures of a call that stand under its pictures."""
    frames = report["frames"]
    all_sent = frames["sent"] == frames["captured"]  # else the rate is that of fewer frames, and says so
    wire = (report["wire_kbps"][way] for way in ("sender_to_receiver", "receiver_to_sender"))
    return [
        Figure("payload a frame", f"{report['payload_bytes_per_frame']:.0f} B"),
        Figure(
            "payload" if all_sent else f"payload, {frames['sent']} of {frames['captured']} frames",
            f"{report['payload_kbps']:.1f} kbps",
        ),
        Figure("wire, there / back", " / ".join("-" if kbps is None else f"{kbps:.0f}" for kbps in wire) + " kbps"),
        Figure("PSNR, SSIM", f"{report['picture']['psnr_db']:.1f} dB, {report['picture']['ssim']:.2f}"),
    ]


def _length_s(clip: Path) -> float:
    """Length that a clip's file says, a minute where it does not."""
    with av.open(str(clip)) as container:
        return container.duration / av.time_base if container.duration else 60.0
