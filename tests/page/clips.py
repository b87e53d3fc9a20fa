"""A real clip as the page's tests need it: a fake camera, a fake microphone, and what an engine would send of it."""

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "../shared/data/talking_heads/hd"
TALKING = SHARED / "id097_0.mp4"
LISTENING = SHARED / "id100_0.mp4"
EMBEDDED = ROOT / "replay/assets/demo.mp4"
SECONDS = 4.0
RATE = 48000
PACKET = 2880


@dataclass(frozen=True)
class Clip:
    """What the other side would send: JPEGs of 256 px at 25 or 30 fps, and 60 ms Opus packets."""

    frame_rate: float
    jpegs: list[bytes]
    packets: list[bytes]
    sound: NDArray[np.float32]

    def pcm(self, index: int) -> bytes:
        """60 ms of the sound as s16le."""
        return np.round(self.sound[index * PACKET : (index + 1) * PACKET] * 32767).astype("<i2").tobytes()


def frames(path: Path, seconds: float = SECONDS) -> Iterator[NDArray[np.uint8]]:
    """Frames uint8 RGB [H,W,3] of the first seconds."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= seconds:
                return
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def frame_rate(path: Path) -> float:
    """Frames a second."""
    with av.open(str(path)) as container:
        return float(container.streams.video[0].average_rate or 30)


def sound(path: Path, seconds: float = SECONDS) -> NDArray[np.float32]:
    """Sound in [-1,1], mono at 48 kHz; a vowel-like tone where the clip has none."""
    with av.open(str(path)) as container:
        if container.streams.audio:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
            return (np.concatenate(parts)[: int(seconds * RATE)] / 32768).astype(np.float32)
    t = np.arange(int(seconds * RATE)) / RATE
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)
    return (swell * sum(0.2 / k * np.sin(2 * np.pi * 130 * k * t) for k in (1, 2, 3, 5))).astype(np.float32)


def opus_packets(samples: NDArray[np.float32]) -> list[bytes]:
    """60 ms packets of 12 kbps, as a browser makes them."""
    coder = av.CodecContext.create("libopus", "w")
    assert isinstance(coder, av.AudioCodecContext)
    coder.sample_rate, coder.layout, coder.format, coder.bit_rate = RATE, "mono", "s16", 12000
    coder.time_base = Fraction(1, RATE)
    coder.options = {"frame_duration": "60", "application": "voip"}
    packets: list[bytes] = []
    for index in range(len(samples) // PACKET):
        part = np.round(samples[index * PACKET : (index + 1) * PACKET] * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, index * PACKET, Fraction(1, RATE)
        packets += [bytes(packet) for packet in coder.encode(frame)]
    return packets


def remote_clip(path: Path) -> Clip:
    """Code a clip as an engine would send it."""
    jpegs = []
    for image in frames(path):
        small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
        jpegs.append(encode_jpeg(np.asarray(small, np.uint8)))
    samples = sound(path)
    return Clip(frame_rate(path), jpegs, opus_packets(samples), samples)


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """JPEG of uint8 RGB [H,W,3]."""
    good, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert good
    return content.tobytes()


def decode_jpeg(content: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG to uint8 RGB [H,W,3]."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None, f"expected a picture, got {content[:16]!r}"
    return np.asarray(image[..., ::-1], np.uint8)


def write_camera(path: Path, target: Path) -> None:
    """Write a clip as a camera of 640x480 sees it, for --use-file-for-fake-video-capture."""
    content = io.BytesIO()
    for image in frames(path):
        wide = cv2.resize(image, (640, 640), interpolation=cv2.INTER_CUBIC)[40:520]
        content.write(encode_jpeg(np.ascontiguousarray(wide, np.uint8)))
    target.write_bytes(content.getvalue())


def write_microphone(path: Path, target: Path) -> None:
    """Write a clip's sound for --use-file-for-fake-audio-capture."""
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(sound(path) * 32767).astype("<i2").tobytes())


def talking() -> Path:
    """The clip of the person before the camera."""
    return TALKING if TALKING.exists() else EMBEDDED


def listening() -> Path:
    """The clip of the other person."""
    return LISTENING if LISTENING.exists() else EMBEDDED
