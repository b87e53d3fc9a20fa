"""Rate control: what is sent, how often and how well, so that it fits the budget and the link.

Plain; the clock is passed in. It hears of every message that is sent and of every acknowledgement, and gives a Plan.

    down   at once: the budget is exceeded, a queue builds up (then as far as what gets through says), or all is silent
    up     one rung of the ladder each three seconds; a rung that failed is tried again after 8, 16, ... 64 s

Longer round trips are a queue of ours if they shrink when less is sent; if they stay as they are, the way has become
longer, and all is as before. Loss without a queue changes the repeats (loss_policy.py); heavy loss also makes the
controller send less for a moment: if the loss goes, it was ours.
"""

from dataclasses import dataclass
from typing import Final

from codec.acknowledgement import Acknowledgement
from codec.wire import Level
from sender.loss_policy import LossPolicy
from sender.other_traffic import OtherTraffic
from sender.rate_estimate import LinkEstimate
from sender.rate_ladder import HEADERS_BYTES, MESSAGE_BYTES, VOICE_BPS, Rung, build_ladder

MAX_KBPS: Final = 30.0
"""Of one direction, headers included (DESIGN 7)."""
USUAL_INTERVAL_S: Final = 0.06
USUAL_FRAME_RATE: Final = 30.0
USUAL_FRAME_BYTES: Final = 7.0
QUEUE_S: Final = 0.1
"""A round trip this much longer than the shortest means that a queue builds up."""
CUT: Final = 0.75
"""Of what gets through, what is sent while a queue drains."""
SETTLE_S: Final = 1.0
"""Besides a round trip, how long a cut is given to show."""
LATEST_VERDICT_S: Final = 2.5
"""How long three round trips are waited for after that."""
UP_EACH_S: Final = 3.0
UP_BELOW: Final = 0.9
"""Of the budget, what a better rung may cost before it is taken."""
PROBATION_S: Final = 20.0
RETRY_S: Final = (8.0, 64.0)
SILENCE_S: Final = 1.5
STEADY_S: Final = 0.04
"""Round trips that differ by no more are steady."""
HEAVY_LOSS: Final = 0.25
TRIAL_MESSAGES: Final = 40
"""Messages by whose loss a trial is judged."""
TRIAL_EACH_S: Final = 60.0


@dataclass(frozen=True)
class Plan:
    """How to send from now on."""

    interval_s: float
    repeat: int
    frame_rate: float
    """Of the frames that are sent; the receiver interpolates."""
    thin: bool
    """Whether that is less than what comes."""
    level: Level
    keypoints: int | None
    """None is all of them."""
    voice_bps: int = VOICE_BPS[0]
    """Bits a second that sound is coded at."""


class RateController:
    """Owns the estimate of the link and the place on the ladder."""

    def __init__(
        self,
        frame_rate: float,
        all_keypoints: int,
        max_kbps: float = MAX_KBPS,
        level: Level = Level.HIGH,
        fewer_keypoints: bool = False,
        interval_s: float | None = None,
        first_sequence: int = 0,
    ) -> None:
        """Begin at 60 ms, or at what the budget allows.

        Args: frame_rate: frames a second that come, 0 where unknown. level: the best to use. fewer_keypoints: whether
        the profile can send some of them. interval_s: of all messages, if only repeats are to be chosen.
        """
        self.link = LinkEstimate(first_sequence)
        frame_rate = frame_rate or USUAL_FRAME_RATE
        self.max_kbps = max_kbps
        self.reserved_kbps = 0.0
        """Of that, what is left to something else that is sent just now: a picture, beside the call."""
        self._keypoints = all_keypoints
        self._ladder = build_ladder(frame_rate, all_keypoints, level, fewer_keypoints, interval_s)
        self._policy = LossPolicy(self.link.losses)
        self._frame_bytes = USUAL_FRAME_BYTES
        self._sound_bytes: float | None = None
        self._other = OtherTraffic()
        self._media_bytes = 0
        usual = (index for index, rung in enumerate(self._ladder) if rung.spacing_s >= USUAL_INTERVAL_S)
        self._rung = next(usual, len(self._ladder) - 1)
        self._changed_s = 0.0
        self._failed: int | None = None
        self._retry_s, self._wait_s = 0.0, RETRY_S[0]
        self._cut: _Cut | None = None
        self._trial_s, self._trial_wait_s = 0.0, TRIAL_EACH_S
        self._silent = False
        self._plan = self._make_plan(0.0)

    @property
    def predicted_kbps(self) -> float:
        """What the present rung should cost on the wire, without what else is sent."""
        return self._cost(self._ladder[self._rung])

    def sent(self, payload_bytes: int, frames: int, now_s: float, sound_bytes: int = 0) -> None:
        """Note a message made by the last plan, with so many new frames."""
        self.link.sent(payload_bytes + HEADERS_BYTES, now_s)
        self._media_bytes += payload_bytes + HEADERS_BYTES
        coded = frames + self._plan.repeat
        if frames:
            share = self._sending.share(self._keypoints)
            bytes_each = max(0.0, payload_bytes - sound_bytes - MESSAGE_BYTES) / coded / share
            self._frame_bytes += 0.05 * (bytes_each - self._frame_bytes)

    def expect_sound(self, kbps: float | None) -> None:
        """Say how much sound rides along while a voice is coded at its full rate. None: none.

        With sound a message is sent each interval, frames or not.
        """
        self._sound_bytes = None if kbps is None else kbps * 1000 / 8

    def take_wire(self, bytes_out: int, now_s: float) -> None:
        """Take how many bytes have left at the socket so far: what else leaves there is part of the budget."""
        self._other.update(bytes_out, self._media_bytes, now_s)

    def acknowledged(self, acknowledgement: Acknowledgement, now_s: float) -> None:
        """Take what the other side says."""
        self.link.acknowledged(acknowledgement, now_s)
        if self._silent:
            self._silent = False
            self.link.forget_queues(now_s)
            self._changed_s = now_s

    def plan(self, now_s: float) -> Plan:
        """Return how the next message is to be sent."""
        self._silent = self._silent or self.link.silent_s(now_s) > SILENCE_S
        if not self._silent:
            self._judge(now_s)
        self._plan = self._make_plan(now_s)
        return self._plan

    def _make_plan(self, now_s: float) -> Plan:
        rung = self._sending = self._ladder[-1 if self._silent else self._rung]
        repeat = min(self._policy.depth(rung.interval_s, now_s), rung.most_repeats)
        thin = rung.frame_rate < self._ladder[0].frame_rate
        return Plan(rung.interval_s, repeat, rung.frame_rate, thin, rung.level, rung.keypoints, rung.voice_bps)

    def _judge(self, now_s: float) -> None:
        if self._cut is not None and self._still_cutting(self._cut, now_s):
            return
        if self.link.queue_s > QUEUE_S:
            self._send_less(now_s, for_loss=False)
        elif self._wants_trial(now_s):
            self._send_less(now_s, for_loss=True)
        else:
            self._move(now_s)

    def _still_cutting(self, cut: "_Cut", now_s: float) -> bool:
        """Judge a cut once it had time to show. Returns whether nothing else is to be done now."""
        settled_s = cut.at_s + cut.rtt_s + SETTLE_S / 2
        if cut.for_loss:
            if self.link.losses.count - cut.messages < TRIAL_MESSAGES:
                return True
            self._end_trial(cut, now_s)
            return True
        few = self.link.spread_s(settled_s) is None
        if now_s < settled_s + (LATEST_VERDICT_S if few else SETTLE_S):
            return True
        if self._way_is_longer(cut, settled_s):
            self.link.rebase(settled_s)
            self._restore(cut, now_s)
            return True
        if self.link.queue_s > QUEUE_S and self.link.queue_s < 0.8 * cut.queue_s:
            self._cut = _Cut(now_s, self.link.rtt_s or 0.0, self.link.queue_s, cut.rung, False, 0)  # it drains: wait
            return True
        self._cut = None
        return False

    def _way_is_longer(self, cut: "_Cut", since_s: float) -> bool:
        """Whether less was sent and the round trips have stayed as long as they were, and nothing was dropped."""
        spread = self.link.spread_s(since_s)
        if spread is None or self.link.losses.recent(TRIAL_MESSAGES) > self.link.losses.loss + 0.1:
            return False
        shortest_s, longest_s = spread
        return longest_s - shortest_s < STEADY_S and shortest_s > cut.rtt_s - STEADY_S

    def _end_trial(self, cut: "_Cut", now_s: float) -> None:
        if self.link.losses.recent(TRIAL_MESSAGES) < HEAVY_LOSS / 2:
            self._trial_wait_s = TRIAL_EACH_S
            self._mark_failed(cut.rung, now_s)
            self._cut = None
        else:
            self._restore(cut, now_s)
            self._trial_s = now_s + self._trial_wait_s
            self._trial_wait_s *= 2

    def _restore(self, cut: "_Cut", now_s: float) -> None:
        """Go back to where the cut was made: there was no reason for it."""
        self._rung, self._failed, self._cut = cut.rung, None, None
        self._changed_s = now_s

    def _wants_trial(self, now_s: float) -> bool:
        losses = self.link.losses
        known = losses.count >= TRIAL_MESSAGES
        return known and now_s >= self._trial_s and losses.recent(TRIAL_MESSAGES) >= HEAVY_LOSS

    def _send_less(self, now_s: float, for_loss: bool) -> None:
        """Go down as far as what gets through says, but by one rung at least."""
        through = self.link.delivered_kbps
        target = CUT * min(through if through is not None else self.predicted_kbps, self.predicted_kbps)
        self._cut = _Cut(now_s, self.link.rtt_s or 0.0, self.link.queue_s, self._rung, for_loss, self.link.losses.count)
        if not for_loss:
            self._mark_failed(self._rung, now_s)
        self._rung = min(max(self._rung + 1, self._first_below(target)), self._lowest(for_loss))
        self._changed_s = now_s

    def _lowest(self, for_loss: bool) -> int:
        """How far down to go; where there is loss, not so far that repeats are given up, as long as that is lower."""
        repeating = sum(rung.most_repeats == self._ladder[0].most_repeats for rung in self._ladder) - 1
        return repeating if for_loss and self._rung < repeating else len(self._ladder) - 1

    def _mark_failed(self, rung: int, now_s: float) -> None:
        again = self._failed is not None and rung <= self._failed
        self._wait_s = min(2 * self._wait_s, RETRY_S[1]) if again else RETRY_S[0]
        self._failed, self._retry_s = max(rung, self._failed or 0), now_s + self._wait_s

    def _move(self, now_s: float) -> None:
        """Keep within the budget, and climb while there is room."""
        if self._failed is not None and self._rung <= self._failed and now_s - self._changed_s > PROBATION_S:
            self._failed = None
        budget = self.max_kbps - self.reserved_kbps - self._other.kbps
        allowed = self._first_below(budget)
        if self._rung < allowed:
            self._rung, self._changed_s = allowed, now_s
        elif self._rung > self._first_below(UP_BELOW * budget) and self._may_climb(now_s):
            self._rung, self._changed_s = self._rung - 1, now_s

    def _may_climb(self, now_s: float) -> bool:
        if now_s - self._changed_s < UP_EACH_S or not self.link.losses.known:
            return False
        return self._failed is None or self._rung - 1 > self._failed or now_s >= self._retry_s

    def _first_below(self, kbps: float) -> int:
        fitting = (index for index, rung in enumerate(self._ladder) if self._cost(rung) <= kbps)
        return next(fitting, len(self._ladder) - 1)

    def _cost(self, rung: Rung) -> float:
        return rung.kbps(self._plan.repeat, self._frame_bytes, self._keypoints, self._sound_bytes)


@dataclass(frozen=True)
class _Cut:
    """When less was sent, what the link was like then, and where on the ladder we stood."""

    at_s: float
    rtt_s: float
    queue_s: float
    rung: int
    for_loss: bool
    messages: int
