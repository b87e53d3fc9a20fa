"""A clip through facewire: what its messages cost, and the pictures that a receiver makes of them.

As in a call. The source picture is the first of up to eight frames of the first second in which the face finder and
the networks both see a face (`sender.source.find_source`): nothing is looked up in the rest of the clip. It is coded as
a call codes it (WebP, quality 90 at 256 px, 80 at 512), and every frame, those before it included, is rendered from
what the receiver decodes of it. Motion is steadied, coded and grouped into messages of 60 ms by the sender's own parts,
on a link that loses nothing; a frame without a face holds the motion before it. The crop stands still, since it is what
the codecs get, too.
"""

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import numpy as np

from codec import Decoder, Encoder, Level, Motion, Profile
from codec.paper import byte_count, motions_to_bytes
from codec.symbols import SymbolWriter
from models.config import ModelConfig
from models.face_finder_weights import load_finder
from models.renderer import picture_sizes
from models.weights import Model, load_model
from receiver.look import Look
from receiver.render import FaceRenderer
from replay.compare.clip import Picture, Reference
from replay.errors import CompareError
from sender.camera import Clip, Frame
from sender.compress import MESSAGE_S, encode_motions
from sender.crop_square import Square, cut
from sender.errors import NoFace
from sender.extract import Extractor
from sender.keypoints import ALLOWED_PX, read_choice
from sender.settings import SendSettings
from sender.source import LARGE_QUALITY, decode_picture, encode_picture, find_source
from sender.steady import Steady


@dataclass(frozen=True)
class Way:
    """One way to code motion; keypoints as `facewire compress --keypoints` takes them."""

    profile: Profile
    level: Level = Level.HIGH
    keypoints: str = "all"

    @property
    def name(self) -> str:
        """What the tables call it."""
        if self.profile is Profile.PREDICTIVE:
            return f"predictive {self.level.name.lower()}"
        return "paper" if self.keypoints == "all" else f"paper adaptive {ALLOWED_PX[self.level]:g} px"

    def words(self) -> str:
        """The options of `facewire compress` that do the same."""
        return f"--profile {self.profile.name.lower()} --level {self.level.name.lower()} --keypoints {self.keypoints}"


WAYS: Final = (
    *(Way(Profile.PREDICTIVE, level) for level in Level),
    Way(Profile.PAPER),
    *(Way(Profile.PAPER, level, "adaptive") for level in Level),
)


@dataclass(frozen=True)
class Source:
    """The source picture: as a file, as the receiver decodes it, and which frame of the clip it is."""

    content: bytes
    picture: Picture
    frame: int


@dataclass(frozen=True)
class Sent:
    """Motion coded one way. frame_bytes: of each frame coded by itself (profile `paper`), before and after coding."""

    messages: tuple[bytes, ...]
    motions: tuple[Motion, ...]
    frame_bytes: tuple[tuple[int, int], ...] = ()


class Ours:
    """A clip as a sender and receiver at one size see it: `size` 256, or 512 where the clip has that detail.

    Raises CompareError for a clip without a face in its first second, or a size that model and clip do not have.
    """

    def __init__(self, model: Model, reference: Reference, size: int) -> None:
        if size not in picture_sizes(model) or size > reference.size:
            raise CompareError(f"{reference.file.name}: expected pictures of {reference.size} px or less, got {size}")
        self.model, self.reference, self.size = model, reference, size
        self.settings = SendSettings()

    @cached_property
    def source(self) -> Source:
        """What the call begins with."""
        number = self._first_good_frame()
        picture = cut(self.reference.rgb(number), self._whole, self.size)
        large = self.size > self.model.config.size
        content = encode_picture(picture, LARGE_QUALITY if large else self.settings.source_quality)
        return Source(content, decode_picture(content), number)

    @cached_property
    def motions(self) -> tuple[Motion, ...]:
        """Motion of every frame, as the sender would code it."""
        with closing(Extractor(self.model)) as extractor:
            extractor.set_source(self.source.picture)
            return tuple(self._extract(extractor))

    @cached_property
    def canonical(self) -> "np.typing.NDArray[np.float32]":
        """Canonical keypoints [K,3] of the source picture."""
        with closing(Extractor(self.model)) as extractor:
            extractor.set_source(self.source.picture)
            return extractor.canonical

    def send(self, way: Way) -> Sent:
        """Code the motion, and decode it as the receiver does."""
        encoder = Encoder(self.model.codec_tables, way.profile, way.level)
        encoder.set_source(self.canonical)
        choice = read_choice(way.keypoints, way.profile, self.model.config, way.level)
        period_s = float(1 / self.reference.rate)
        messages = tuple(message for _, message in encode_motions(self.motions, encoder, choice, MESSAGE_S, period_s))
        decoder = Decoder(self.model.codec_tables)
        decoded = tuple(motion for message in messages for motion in decoder.decode(message).motions)
        if len(decoded) != len(self.motions):
            raise CompareError(f"{self.reference.file.name}: {len(self.motions)} frames sent, {len(decoded)} came")
        return Sent(messages, decoded, self._single_frames(way) if way.profile is Profile.PAPER else ())

    def render(self, motions: tuple[Motion, ...], wanted: Collection[int]) -> Iterator[tuple[int, Picture]]:
        """Yield the wanted frames, brought up to the clip's size where they are smaller (bicubic, as a player does)."""
        with closing(FaceRenderer(self.model, look=Look(size=self.size))) as renderer:
            renderer.set_source_now(self.source.picture)
            for number in wanted:
                yield number, cut(renderer.render_now(motions[number]), self._rendered, self.reference.size)

    def repeated(self) -> Picture:
        """The source picture as received, at the clip's size."""
        return cut(self.source.picture, self._rendered, self.reference.size)

    @property
    def _whole(self) -> Square:
        return Square(0, 0, self.reference.size)

    @property
    def _rendered(self) -> Square:
        return Square(0, 0, self.size)

    def _crop(self, number: int) -> Picture:
        return cut(self.reference.rgb(number), self._whole, self.model.config.size)

    def _first_good_frame(self) -> int:
        """The frame that `find_source` takes, asked frame by frame as it goes over a camera."""
        camera = _Camera(self.reference)
        try:
            with closing(Extractor(self.model)) as extractor:
                look_for_face(camera, self.reference.file.name, self.model, extractor, self.settings)
        except NoFace as error:
            raise CompareError(str(error)) from None
        return camera.read_frames - 1

    def _extract(self, extractor: Extractor) -> Iterator[Motion]:
        steady = None
        if self.settings.steady:
            scaled = isinstance(self.model.config, ModelConfig)
            steady = Steady(extractor.canonical, scaled, self._whole)
        motion = extractor.extract_now(self.source.picture, 0.0).motion
        for number in range(len(self.reference.frames)):
            time_s = float(number / self.reference.rate)
            found = extractor.extract_now(self._crop(number), time_s)
            if found.face_score >= self.settings.face_threshold:
                motion = steady(found.motion, self._whole) if steady else found.motion
            else:
                motion = replace(motion, capture_time_s=time_s)
            yield motion

    def _single_frames(self, way: Way) -> tuple[tuple[int, int], ...]:
        """Bytes of each frame coded by itself, as FV2V's Table 5 counts them; an adaptive number takes a byte."""
        sizes = []
        models = self.model.codec_tables.paper.models
        for motion in self.motions:
            choice = read_choice(way.keypoints, way.profile, self.model.config, way.level)
            count = choice.choose([motion])
            used = byte_count(self.model.config.keypoints if count is None else count)
            writer = SymbolWriter()
            for symbol, coding in zip(motions_to_bytes([motion])[0].tolist()[:used], models[:used], strict=True):
                writer.code(symbol, coding)
            more = int(count is not None)
            sizes.append((used + more, len(writer.finish()) + more))
        return tuple(sizes)


class _Camera:
    """The frames of a reference as `find_source` reads them."""

    live = False

    def __init__(self, reference: Reference) -> None:
        self.frame_rate = float(reference.rate)
        self.read_frames = 0
        self._reference = reference

    def read(self) -> Frame | None:
        if self.read_frames == len(self._reference.frames):
            return None
        number = self.read_frames
        self.read_frames += 1
        return Frame(self._reference.rgb(number), float(number / self._reference.rate))

    def close(self) -> None:
        """Nothing is open."""


def look_for_face(
    camera: "_Camera | Clip", name: str, model: Model, extractor: Extractor, settings: SendSettings
) -> Square:
    """The square of a call that begins with these frames. Raises NoFace, InputError."""
    find, seen = load_finder(model.folder).find, extractor.face_score
    size, quality = model.config.size, settings.source_quality
    return find_source(camera, name, size, settings.face_threshold, settings.search_s, find, seen, quality).square


def choose_square(path: Path, model: Model) -> Square:
    """The square that a call would cut out of a clip. Raises CompareError without a face in its first second."""
    try:
        with closing(Clip(path)) as clip, closing(Extractor(model)) as extractor:
            return look_for_face(clip, str(path), model, extractor, SendSettings())
    except NoFace as error:
        raise CompareError(str(error)) from None


@cache
def model_at(folder: Path | None) -> Model:
    """The model, loaded once a process; networks run in plain torch, so that every machine gives the same figures."""
    return load_model(folder)
