"""Makes the three recordings of this folder with the shipped weights, from the demo's clip, and their baseline.

    python -m tests.recordings.make

plain.fwr   3 s, predictive, nothing lost; plain.mp4 is what the camera saw
lossy.fwr   the same over a link that loses 20 %, overtakes and jitters
paper.fwr   2 s, profile paper, recorded by its sender
"""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from codec.encoder import Encoder
from codec.recording import RecordingReader, RecordingWriter
from codec.recording_records import Direction, MediaRecord, SourceRecord
from codec.wire import Profile
from models.weights import Model, load_model
from receiver.show import VideoWriter
from replay.check import make_baseline
from replay.cut import cut_recording
from replay.link import Link, LinkPiece, LinkTrace
from replay.recorded_call import Face, read_call
from replay.simulated_call import SimulatedCall
from sender.camera import Clip
from sender.compress import Coding, compress_clip
from sender.settings import SendSettings

FOLDER = Path(__file__).parent
CLIP = FOLDER.parents[1] / "replay" / "assets" / "demo.mp4"
BAD_LINK = LinkTrace((LinkPiece(loss=0.2, delay_ms=50, jitter_ms=30, overtaken=0.03),))
SECONDS = 3.0


class Overheard(SimulatedCall):
    """A simulated call that keeps what arrives."""

    arrived: list[tuple[float, bytes]]

    def _receive(self, message: bytes, now_s: float) -> None:
        self.arrived.append((now_s, message))
        super()._receive(message, now_s)


def main() -> None:
    """Make everything."""
    model = load_model()
    with TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.fwr"
        compress_clip(CLIP, whole, model, SendSettings(), Coding())
        cut_recording(whole, FOLDER / "plain.fwr", 2.0, 2.0 + SECONDS, model.codec_tables)
    reader = RecordingReader(FOLDER / "plain.fwr")
    face, source = read_call(reader, model.codec_tables).faces[Direction.RECEIVED], reader.source()
    write_camera(face)
    write_lossy(face, source, model, reader)
    write_paper(face, source, model, reader)
    make_baseline(FOLDER, FOLDER / "base.json", model)


def write_camera(face: Face) -> None:
    """What the camera saw; the demo's clip needs no crop."""
    wanted = {round(1000 * motion.capture_time_s) for motion in face.motions}
    with closing(Clip(CLIP)) as clip, closing(VideoWriter(FOLDER / "plain.mp4", clip.frame_rate, 26)) as writer:
        while (frame := clip.read()) is not None:
            if round(1000 * (frame.capture_time_s - 2.0)) in wanted:
                writer.write(frame.image, frame.capture_time_s - 2.0)


def write_lossy(face: Face, source: SourceRecord, model: Model, reader: RecordingReader) -> None:
    """The same motion over a bad link."""
    first_s = face.motions[0].capture_time_s
    motions = [replace(motion, capture_time_s=motion.capture_time_s - first_s) for motion in face.motions]
    call = Overheard(model.codec_tables, motions, Link(BAD_LINK, 4), Link(BAD_LINK, 5))
    call.arrived = []
    call.run()
    with RecordingWriter(FOLDER / "lossy.fwr", reader.header) as writer:
        writer.add(source)
        for at_s, message in sorted(call.arrived):
            writer.write(at_s, message)


def write_paper(face: Face, source: SourceRecord, model: Model, reader: RecordingReader) -> None:
    """The same motion in the other profile, as its sender recorded it."""
    encoder = Encoder(model.codec_tables, Profile.PAPER)
    with RecordingWriter(FOLDER / "paper.fwr", reader.header) as writer:
        writer.add(replace(source, direction=Direction.SENT))
        for index in range(0, len(face.motions) * 2 // 3, 2):
            motions = face.motions[index : index + 2]
            message = encoder.encode(motions, keypoints=17)
            writer.add(MediaRecord(motions[-1].capture_time_s, Direction.SENT, message))


if __name__ == "__main__":
    main()
