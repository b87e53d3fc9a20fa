"""The camera's side of a call: pictures in, motion out, and the picture of oneself when a good face is there.

Runs from the moment the page has a camera, before there is anybody to talk to: so the page can show the crop and say
what is missing, and the source picture is ready when the other side comes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from call.fitting import Fitting
from call.good_moment import Candidate, GoodMoment, Measured
from call.likeness import SIDE
from call.own_source import OwnSource, cut_large, from_crop, from_file
from call.seen import Picture, Seen, Still
from codec.motion import Motion
from models.config import ModelConfig
from models.face_finder import FaceFinder
from models.weights import Model
from sender.camera import Frame, Image
from sender.crop import Cropper
from sender.crop_square import Square, cut, find_square
from sender.crop_watch import FaceWatch
from sender.extract import Extracted, Extractor
from sender.steady import Steady
from signaling.dropping_queue import DroppingQueue
from signaling.stages import StageTimes

QUEUE_FRAMES: Final = 2
MOST_SQUARES: Final = 600
"""That are remembered: a picture of oneself is of a frame of the last seconds."""
SEARCH_EACH_S: Final = 0.15
LARGEST_SIDE_PX: Final = 1920
NEAR_BORDER: Final = 0.3


class Watching:
    """One camera, one face. `picture` is called from the event loop, everything slow happens in one thread."""

    def __init__(
        self,
        model: Model,
        finder: FaceFinder,
        threshold: float,
        quality: int,
        fitting: Fitting,
        on_seen: Callable[[Seen], None],
        on_source: Callable[[OwnSource], None],
    ) -> None:
        """Args: quality: WebP quality of the source picture. fitting: makes it ready to be sent. on_seen: told of every
        picture that was looked at; on_source: told of a picture of oneself that was taken.
        """
        self.frames: DroppingQueue[Picture] = DroppingQueue(QUEUE_FRAMES)
        self.times = StageTimes("extract")
        self.bad_pictures = 0
        self.take_source = False
        """Whether a picture of oneself is wanted; it is taken from the next good face."""
        self.at_leisure = False
        """Whether it can wait for a good moment: there is a picture in use already."""
        self.canonical: NDArray[np.float32] | None = None
        """Canonical keypoints x_c [K,3] of the picture in use."""
        self._model = model
        self._threshold = threshold
        self._quality = quality
        self._on_seen = on_seen
        self._on_source = on_source
        self._finder = finder
        self._extractor = Extractor(model, self.times)
        self._finder_thread = ThreadPoolExecutor(1, thread_name_prefix="finder")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._cropper: Cropper | None = None
        self._searched_s = -1.0
        self._search_score = 0.0
        self._moment = GoodMoment(model)
        self._fitting = fitting
        self._taking: asyncio.Task[None] | None = None
        self._changes: list[tuple[float, OwnSource, Callable[[], None]]] = []
        self._used: OwnSource | None = None
        self._steady: Steady | None = None
        self._squares: deque[tuple[float, Square]] = deque(maxlen=MOST_SQUARES)
        self._taken: tuple[Image, Square] | None = None
        """The crop of the last picture that was taken here, and where in the camera's picture that was."""
        self._home: Square | None = None
        """Where the picture in use was taken, or where the crop was when it came into use."""

    def picture(self, picture: Picture) -> None:
        """Take a picture; the oldest that waits goes where the networks are slower than the camera."""
        self.frames.put(picture)

    def face(self, yaw_deg: float, pitch_deg: float) -> None:
        """Take pictures of oneself from a head that looks this way; 0, 0 is into the camera."""
        self._moment.face(yaw_deg, pitch_deg)

    def use(self, source: OwnSource, from_s: float, then: Callable[[], None]) -> None:
        """Tell motion against this picture for frames captured from then on; `then` is called between two frames."""
        self._changes.append((from_s, source, then))

    async def run(self) -> None:
        """Look at pictures until the queue ends."""
        loop = asyncio.get_running_loop()
        while not self.frames.ended:
            picture = await self.frames.get()
            if self._taking is not None and self._taking.done():
                self._taking.result()  # what went wrong there ends the call, here
                self._taking = None
            if picture is None:
                continue
            for then in await loop.run_in_executor(self._thread, self._change, picture.time_s):
                then()
            seen = await loop.run_in_executor(self._thread, self._look, picture)
            if seen is None:
                continue
            self._on_seen(seen)
            if self.take_source and seen.crop is not None:
                await self._consider(seen)

    def _change(self, time_s: float) -> list[Callable[[], None]]:
        """Change to the picture whose time has come. Frames come in order, so a change is between two of them."""
        due = [change for change in self._changes if change[0] <= time_s]
        self._changes = [change for change in self._changes if change[0] > time_s]
        for _, source, _ in due[-1:]:
            if self._used is None or self._used.sha256 != source.sha256:
                self._extractor.set_source(source.image)
                self._used = source
            here = self._cropper.follower.square if self._cropper is not None else None
            self._home = self._taken[1] if self._taken and self._taken[0] is source.crop else here
            self.canonical = self._extractor.canonical
            self._steady = None
        return [then for _, _, then in due]

    def _look(self, picture: Picture) -> Seen | None:
        image = self._decode(picture.content)
        if image is None:
            self.bad_pictures += 1
            return None
        frame = Frame(image, picture.time_s)
        if self._cropper is None and not self._search(frame):
            return Seen(self._search_score, None, None, None, picture.time_s)
        assert self._cropper is not None
        crop = self._cropper.crop(frame)
        square = self._cropper.follower.square
        self._squares.append((picture.time_s, square))
        large = cut_large(image, square, len(crop)) if self.take_source else None
        if self.canonical is None:
            score = self._extractor.face_score(crop)
            good = score >= self._threshold
            if not good:
                self._cropper.worry()  # before a call, too, the crop is to find whoever has moved
            good = good and not self._cropper.nobody
            return Seen(score, square, None, crop if good else None, picture.time_s, large)
        found = self._extractor.extract_now(crop, picture.time_s)
        good = found.face_score >= self._threshold
        if not good or _near_border(found):
            self._cropper.worry()
        good = good and not self._cropper.nobody
        if good:
            self._cropper.head(self._extractor.drift(found.motion), picture.time_s)
        motion = self._without_tremble(found, square) if good else None
        still = self._still(image, square) if good else None
        return Seen(found.face_score, square, motion, crop if good else None, picture.time_s, large, still)

    def _still(self, image: Image, square: Square) -> Still | None:
        self._home = self._home or square  # the face was found after the picture came into use
        return None if square == self._home else Still(self._home, cut(image, self._home, SIDE))

    def _without_tremble(self, found: Extracted, square: Square) -> Motion:
        assert self.canonical is not None
        if self._steady is None:
            self._steady = Steady(self.canonical, isinstance(self._model.config, ModelConfig), square)
        return self._steady(found.motion, square)

    def _search(self, frame: Frame) -> bool:
        """Look for the face in the whole picture, some times a second."""
        if 0 <= frame.capture_time_s - self._searched_s < SEARCH_EACH_S:
            return False
        self._searched_s = frame.capture_time_s
        size, face_score = self._model.config.size, self._extractor.face_score
        square, score = find_square(frame.image, size, self._threshold, self._finder.find, face_score)
        self._search_score = score
        if square is not None:
            watch = FaceWatch(self._finder.find, self._threshold, self._finder_thread)
            self._cropper = Cropper(square, size, watch)
        return square is not None

    async def _consider(self, seen: Seen) -> None:
        """Take the picture of oneself if this face is as good as it will get."""
        taken = await asyncio.get_running_loop().run_in_executor(self._thread, self._weigh, seen)
        if taken is not None and self.take_source:
            self.take_source = self.at_leisure = False
            self._taking = asyncio.create_task(self._make_source(taken), name="make the source picture")

    def _weigh(self, seen: Seen) -> Candidate | None:
        assert seen.crop is not None
        if seen.motion is not None and self.canonical is not None:
            measured = Measured(seen.motion, self.canonical, seen.score)
        else:
            measured = self._measure(seen.crop, seen.time_s)
        return self._moment.look(measured, seen.crop, seen.large, self.at_leisure)

    def _measure(self, crop: Image, time_s: float) -> Measured:
        """The motion in a crop by itself, before there is a picture that it could be told against."""
        extractor = Extractor(self._model)
        try:
            extractor.set_source(crop)
            found = extractor.extract_now(crop, time_s)
            return Measured(found.motion, extractor.canonical, found.face_score)
        finally:
            extractor.close()

    async def _make_source(self, taken: Candidate) -> None:
        """Encode it beside the frames that go on."""
        loop = asyncio.get_running_loop()
        square = next((square for time_s, square in self._squares if time_s == taken.time_s), None)
        source = await loop.run_in_executor(None, from_crop, taken.crop, self._quality, taken.large)
        self._taken = (taken.crop, square) if square is not None else None
        self._on_source(await self._fitting.fit(source))

    def _decode(self, content: bytes | Image) -> Image | None:
        """Decode a JPEG to uint8 RGB [H,W,3]; None for what is none."""
        if not isinstance(content, bytes):
            return content
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            return None
        if image is None or max(image.shape) > LARGEST_SIDE_PX or min(image.shape[:2]) < 32:
            return None
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    async def source_from_file(self, content: bytes) -> OwnSource:
        """Make a picture of oneself from a file's bytes, between two frames. Raises PictureError."""
        size, find, score = self._model.config.size, self._finder.find, self._extractor.face_score
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, from_file, content, size, self._threshold, find, score, self._quality
        )

    def close(self) -> None:
        """Wait for the picture under way and end the threads."""
        self.frames.end()
        if self._taking is not None:
            self._taking.cancel()
        self._thread.shutdown()
        self._finder_thread.shutdown()
        self._extractor.close()


def _near_border(found: Extracted) -> bool:
    return max(abs(float(found.motion.t[0])), abs(float(found.motion.t[1]))) > NEAR_BORDER
