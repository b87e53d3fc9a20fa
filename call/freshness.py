"""Keeps one's picture fresh: looks now and then at what the other side sees, and does something when it no longer fits.

    camera crop ─┐
                 ├─ likeness.py ─ fitness.py ─> a reason ─┬─ the person allowed it: a new picture at a good moment
    our motion ──┘  (rendered as the other side does)     └─ else: asked for in words

One look each two seconds takes as long as the other side's picture takes to render, and a hundredth of a core more.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from call.fitness import Fitness, Reason
from call.front import Front
from call.likeness import Unlikeness, compare
from call.mirror import Mirror, Reflection
from call.own_picture import OwnPicture
from call.page_messages import AskSource
from call.seen import Seen
from codec.motion import Motion
from models.placing import place
from models.rotations import rotation_matrix, turn_deg
from sender.camera import Image

LOOK_EACH_S: Final = 2.0
TRY_EACH_S: Final = 0.05
"""While a frame is looked for of which both the camera's crop and what was sent are at hand."""
RECENT_S: Final = 2.0
"""A frame that was filmed longer ago is not looked at: what is filmed while nothing leaves proves nothing."""
SAME_FRAME_S: Final = 0.002
"""Times on the wire are whole milliseconds."""
MOST_CROPS: Final = 12
MOST_POSES: Final = 8
ASK_AGAIN_S: Final = 120.0
"""After a question that was not answered."""
WORDS: Final[dict[Reason, str]] = {
    Reason.LIGHT: "the light on you has changed, and the other person still sees you in the old one: "
    "a new picture would show you as you are",
    Reason.BACKGROUND: "what is behind you has changed, and the other person still sees the old place: "
    "a new picture would show the new one",
    Reason.COVERED: "part of your face looks different from your picture, and the other person does not see that: "
    "take your hand away, or take a new picture",
    Reason.TURNED: "your head is turned far from where it is in your picture, and what that does not show is guessed: "
    "turn to the camera, or take a new picture",
}


class Freshness:
    """One call's. Belongs to the event loop; rendering and comparing happen in other threads."""

    def __init__(
        self, own: OwnPicture, mirror: Mirror, front: Front, scaled: bool, now: Callable[[], float], keep: bool = False
    ) -> None:
        """Args: scaled: whether t_z is a log-scale, as in `compact`. keep: whether a picture may be taken unasked."""
        self.keep = keep
        self.looks = 0
        self.last: Unlikeness | None = None
        self._own = own
        self._mirror = mirror
        self._front = front
        self._scaled = scaled
        self._now = now
        self._fitness = Fitness()
        self._seen: deque[Seen] = deque(maxlen=MOST_CROPS)
        self._poses: deque[tuple[float, float]] = deque(maxlen=MOST_POSES)
        self._sha256: str | None = None
        self._used_renewals = 0
        self._asked: Reason | None = None
        self._asked_s = 0.0

    @property
    def reason(self) -> Reason | None:
        """Why a new picture would help, as things stand."""
        return self._fitness.reason

    def see(self, seen: Seen) -> None:
        """Take what the camera shows."""
        if seen.crop is not None and seen.motion is not None:
            self._seen.append(seen)

    async def run(self) -> None:
        """Look and act until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EACH_S)
            found = await self._find_frame()
            reflection = await self._mirror.reflect(found[1])
            if reflection is not None:
                await self._look(found[0], reflection)

    async def _find_frame(self) -> tuple[Seen, Motion]:
        """Wait for a frame that was filmed a moment ago and has left."""
        while True:
            recent = list(self._seen)
            for motion in reversed(self._mirror.recent):
                time_s = motion.capture_time_s
                seen = next((seen for seen in recent if abs(seen.time_s - time_s) < SAME_FRAME_S), None)
                if seen is not None and self._now() - time_s < RECENT_S:
                    return seen, motion
            await asyncio.sleep(TRY_EACH_S)

    async def _look(self, seen: Seen, reflection: Reflection) -> None:
        now_s, motion = self._now(), reflection.motion
        if reflection.sha256 != self._sha256:
            self._sha256 = reflection.sha256
            self._renewed(now_s)
        R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        turned_deg = float(np.abs(turn_deg(R @ reflection.R_s.T)[:2]).max())
        keypoints = place(motion, reflection.x_c, self._scaled)
        assert seen.crop is not None  # only those are kept
        self.last = await asyncio.to_thread(compare, seen.crop, reflection.image, keypoints, _still(seen, keypoints))
        self.looks += 1
        self._poses.append((motion.yaw_deg, motion.pitch_deg))
        self._act(self._fitness.look(self.last, turned_deg, now_s), now_s)

    def _act(self, reason: Reason | None, now_s: float) -> None:
        if self._own.renewals > self._used_renewals:
            return  # one is on its way
        if reason is None or (self.keep and self._fitness.hidden(now_s)):
            self._own.stop_renewing()
        elif self.keep:
            turned = reason is Reason.TURNED
            yaw_deg, pitch_deg = (median(part) for part in zip(*self._poses, strict=True))
            self._own.renew(*((yaw_deg, pitch_deg) if turned else (0.0, 0.0)))
        self._ask(None if self.keep else reason, now_s)

    def _ask(self, reason: Reason | None, now_s: float) -> None:
        """Ask once for each reason, take the question back when it is none any more."""
        if reason is self._asked and (reason is None or now_s - self._asked_s < ASK_AGAIN_S):
            return
        self._asked, self._asked_s = reason, now_s
        self._front.tell(AskSource(why=WORDS[reason] if reason is not None else ""))

    def _renewed(self, now_s: float) -> None:
        self._fitness.renewed(now_s)
        self._poses.clear()
        self._used_renewals = self._own.renewals
        self._own.stop_renewing()


def _still(seen: Seen, keypoints: NDArray[np.float64]) -> tuple[Image, NDArray[np.float64]] | None:
    """The crop that did not follow the head, and the keypoints [K,D] in its units; None where the crop did not."""
    if seen.still is None or seen.square is None:
        return None
    home, crop = seen.still
    shift = 2 * (np.array(seen.square.centre) - np.array(home.centre)) / home.side
    return crop, keypoints[:, :2] * (seen.square.side / home.side) + shift
