"""Looks for the face in whole frames while a call runs: now and then, sooner when there is reason to, in a thread.

Each look takes some milliseconds every third of a second, off the event loop: a sender at 60 fps does not notice.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final

from models.face_finder import FaceBox
from sender.camera import Frame, Image
from sender.crop_follow import Follower

CALM_S: Final = 0.3
"""Between looks while all is well."""
WORRIED_S: Final = 0.1
"""Between looks while the face is lost or near the border of the crop."""
FORGET_S: Final = 1.0
"""After this long without it the face that was followed is nobody's: the largest one counts again."""

NOTHING_LIKE_ONE: Final = 0.5
"""Of the score that is needed: below this there is nothing that the finder may merely be unsure of."""
NOBODY_S: Final = 0.5
"""So long there is nothing like a face before the networks, which may see one in the crop, are overruled."""

FindNear = Callable[[Image, FaceBox | None], FaceBox]
"""Finds the face to follow, the one that was followed before rather than another."""


class FaceWatch:
    """What the finder saw last, and when it looks again."""

    def __init__(self, find: FindNear, threshold: float, thread: Executor | None = None) -> None:
        """Find in `thread`, or in the caller's where there is none, which then waits for it."""
        self._find = find
        self._threshold = threshold
        self._thread = thread
        self._pending: Future[FaceBox] | None = None
        self._asked: Frame | None = None
        self._due_s = 0.0
        self._face: FaceBox | None = None
        self._face_s = 0.0
        self._worried = False
        self._empty_s: float | None = None
        self.nobody = False
        """Whether the finder has seen nothing like a face for some time, in no part of the picture."""
        self.looks = 0

    def worry(self) -> None:
        """Look again soon: the networks lost the face in the crop, or it comes near the border."""
        self._worried = True

    def look(self, frame: Frame, follower: Follower) -> None:
        """Tell the follower what was found, and begin to look at this frame if it is time. Never waits for a thread."""
        self._take(follower)
        soon_s = self._due_s - CALM_S + WORRIED_S if self._worried else self._due_s
        if self._pending is not None or frame.capture_time_s < soon_s:
            return
        self._worried = False
        self._due_s = frame.capture_time_s + CALM_S
        self.looks += 1
        near = self._face if frame.capture_time_s - self._face_s < FORGET_S else None
        self._asked = frame
        if self._thread is not None:
            self._pending = self._thread.submit(self._find, frame.image, near)
        else:
            self._pending = Future()
            self._pending.set_result(self._find(frame.image, near))
            self._take(follower)

    def _take(self, follower: Follower) -> None:
        if self._pending is None or self._asked is None or not self._pending.done():
            return
        face, frame = self._pending.result(), self._asked
        self._pending = self._asked = None
        self._judge(face.score, frame.capture_time_s)
        if face.score < self._threshold:
            self._worried = True
            follower.see(None, frame.capture_time_s, *frame.image.shape[:2])
            return
        self._face, self._face_s = face, frame.capture_time_s
        follower.see(face, frame.capture_time_s, *frame.image.shape[:2])

    def _judge(self, score: float, time_s: float) -> None:
        if score >= NOTHING_LIKE_ONE * self._threshold:
            self._empty_s = None
        elif self._empty_s is None:
            self._empty_s = time_s
        self.nobody = self._empty_s is not None and time_s - self._empty_s >= NOBODY_S
