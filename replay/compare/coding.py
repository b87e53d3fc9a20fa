"""Frames through a codec of PyAV's FFmpeg and back: the access units, and how many of their bytes count."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from replay.compare.anchors import Anchor
from replay.compare.clip import Picture, to_rgb
from replay.errors import CompareError

X264_BANNER: Final = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
"""UUID of the message in which x264 says its version and settings."""
START_CODE: Final = b"\x00\x00\x01"
AV1_DELIMITER: Final = b"\x12\x00"
"""Temporal delimiter OBU: says that a picture begins, which packets say already; never sent over RTP."""

os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 tells its settings on stderr, past FFmpeg


@dataclass(frozen=True)
class Stream:
    """One coded clip. packets: an access unit a frame; counted: bytes of each that have to travel."""

    packets: tuple[bytes, ...]
    counted: tuple[int, ...]


def available(anchor: Anchor) -> bool:
    """Whether this FFmpeg has the encoder and the decoder."""
    try:
        av.codec.Codec(anchor.encoder, "w")
        av.codec.Codec(anchor.decoder, "r")
    except (ValueError, FFmpegError):
        return False
    return True


def encode(anchor: Anchor, crf: float, frames: Sequence[av.VideoFrame], rate: Fraction) -> Stream:
    """Code frames (yuv420p) at a quality, one of the anchor's steps or any other.

    Raises CompareError where the codec refuses, or gives more key frames than the first: bits would not compare.
    """
    encoder, options = anchor.encoder, anchor.options_at(crf)
    frames = [_shrunk(frame, anchor) for frame in frames]
    context = cast(VideoCodecContext, VideoCodecContext.create(encoder, "w"))
    context.width, context.height = frames[0].width, frames[0].height
    context.pix_fmt = "yuv420p"
    context.framerate, context.time_base, context.thread_count = rate, 1 / rate, 1
    context.options = options
    packets: list[av.Packet[VideoStream]] = []
    try:
        with _own_priority():
            context.open()
        for number, frame in enumerate(frames):
            packets += context.encode(_stamped(frame, number, rate))
        packets += context.encode(None)
    except FFmpegError as error:
        raise CompareError(f"{encoder} with {options}: expected coded frames, it failed ({error})") from None
    keys = sum(packet.is_keyframe for packet in packets)
    if len(packets) != len(frames) or keys != 1:
        raise CompareError(
            f"{encoder} with {options}: expected {len(frames)} frames, one of them a key frame, "
            f"got {len(packets)} and {keys}"
        )
    units = tuple(bytes(packet) for packet in packets)
    return Stream(units, tuple(counted_bytes(unit) for unit in units))


def decode(anchor: Anchor, stream: Stream, size: int, wanted: Collection[int]) -> dict[int, Picture]:
    """The wanted frames as RGB [size,size,3], by number. Raises CompareError where a frame is missing."""
    context = cast(VideoCodecContext, VideoCodecContext.create(anchor.decoder, "r"))
    context.thread_count = 1
    decoded: list[av.VideoFrame] = []
    for unit in stream.packets:
        decoded += context.decode(av.Packet(unit))
    decoded += context.decode(None)
    if len(decoded) != len(stream.packets):
        raise CompareError(f"{anchor.decoder}: expected {len(stream.packets)} frames, got {len(decoded)}")
    return {number: to_rgb(_grown(decoded[number], size)) for number in wanted}


def counted_bytes(unit: bytes) -> int:
    """Bytes of an access unit without x264's banner and AV1's delimiter."""
    if unit.startswith(AV1_DELIMITER):
        return len(unit) - len(AV1_DELIMITER)
    banner = unit.find(X264_BANNER)
    if banner < 0:
        return len(unit)
    begin = unit.rfind(START_CODE, 0, banner)
    begin -= begin > 0 and unit[begin - 1] == 0  # start codes have three bytes or four
    end = unit.find(START_CODE, banner)
    end = len(unit) if end < 0 else end - (unit[end - 1] == 0)
    return len(unit) - (end - begin)


@contextmanager
def _own_priority() -> Iterator[None]:
    """Give every thread the priority back that this one has: SVT-AV1, run by root, takes real time's for all of them,
    and then nothing else on the machine moves.
    """
    if not hasattr(os, "sched_getscheduler"):  # not on Linux: there it does not
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    yield
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # one that has ended meanwhile
            os.sched_setscheduler(int(thread.name), policy, priority)


def _stamped(frame: av.VideoFrame, number: int, rate: Fraction) -> av.VideoFrame:
    """The frame as the encoder is to see it: numbered, and without what type it had in the file."""
    frame.pts, frame.time_base = number, 1 / rate
    frame.pict_type = av.video.frame.PictureType.NONE
    return frame


def _shrunk(frame: av.VideoFrame, anchor: Anchor) -> av.VideoFrame:
    if anchor.shrink == 1:
        return frame
    side = frame.width // anchor.shrink
    return frame.reformat(side, side, interpolation=Interpolation.AREA)


def _grown(frame: av.VideoFrame, size: int) -> av.VideoFrame:
    return frame if frame.width == size else frame.reformat(size, size, interpolation=Interpolation.LANCZOS)
