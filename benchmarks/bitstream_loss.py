"""What loss does: calls over simulated links, frames on time and bytes against the share of packets that is lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from rich.progress import Progress

from benchmarks.val_motion import ClipMotion
from codec import CodecTables
from replay.link import Link, LinkPiece, LinkTrace
from replay.simulated_call import SimulatedCall, lengthened, share_on_time

RTT_S: Final = 0.1
PLAYOUT_S: Final = 0.3
"""Behind capture: one way, gathering a message, and three messages more that repeat it."""
LOSSES: Final = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
BURSTS: Final = 0.02
POLICIES: Final[dict[str, int | None]] = {"measured loss decides": None, "no repeats": 0, "1 repeat": 1, "3 repeats": 3}


def loss_rows(
    clips: Sequence[ClipMotion], tables: CodecTables, seconds: float, losses: Sequence[float], progress: Progress
) -> list[dict[str, Any]]:
    """Each policy at each loss, and in bursts; `seconds` of call with each clip, which plays forth and back."""
    pieces = [(f"{loss:.0%} at random", loss, LinkPiece(delay_ms=RTT_S * 500, loss=loss)) for loss in losses]
    bursts = LinkPiece(delay_ms=RTT_S * 500, burst=BURSTS, burst_length=5)
    pieces.append((f"bursts of 5, begun by {BURSTS:.0%}", -1.0, bursts))
    task = progress.add_task("loss", total=len(pieces) * len(POLICIES))
    rows: list[dict[str, Any]] = []
    for name, loss, piece in pieces:
        for policy, repeat in POLICIES.items():
            calls = [_call(clip, tables, piece, repeat, seconds, seed) for seed, clip in enumerate(clips)]
            rows.append({"link": name, "loss": loss, "policy": policy, **_figures(calls)})
            progress.advance(task)
    return _against_no_loss(rows)


def _call(
    clip: ClipMotion, tables: CodecTables, piece: LinkPiece, repeat: int | None, seconds: float, seed: int
) -> SimulatedCall:
    period_s = clip.motions[1].capture_time_s
    motions = lengthened(clip.motions, round(seconds / period_s))
    # a burst lasts a moment; counted in messages, one of the few that acknowledge would last for seconds
    back = Link(LinkTrace((replace(piece, burst=0.0),)), seed + 1000)
    x_c = clip.x_c[0].numpy()
    there = Link(LinkTrace((piece,)), seed)
    return SimulatedCall(tables, motions, there, back, x_c=x_c, repeat=repeat).run()


def _figures(calls: Sequence[SimulatedCall]) -> dict[str, Any]:
    shown = share_on_time(calls, PLAYOUT_S)
    frames = sum(len(call.motions) for call in calls)
    recoveries = [one for call in calls for one in call.recoveries_s]
    return {
        "on_time": round(shown["on_time"], 5),
        "on_time_worst_clip": round(shown["on_time_worst"], 5),
        "received": round(shown["decoded"], 5),
        "longest_freeze_ms": round(shown["freeze_ms"], 1),
        "payload_bytes_per_frame": round(shown["payload_bytes"] / frames, 3),
        "wire_bytes_per_frame": round(shown["wire_bytes"] / frames, 3),
        "repeats": round(float(np.mean([depth for call in calls for depth in call.repeats])), 3),
        "recovery_ms": {
            "times": len(recoveries),
            "p50": round(1000 * float(np.median(recoveries)), 1) if recoveries else None,
            "max": round(1000 * max(recoveries), 1) if recoveries else None,
        },
        "frames": frames,
    }


def _against_no_loss(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bytes as multiples of what a link without loss takes where nothing is repeated."""
    plain = next(row for row in rows if row["loss"] == 0 and row["policy"] == "no repeats")

    def ratio(row: dict[str, Any], name: str) -> float:
        return round(float(row[name]) / float(plain[name]), 3)

    return [
        row
        | {
            "payload_ratio": ratio(row, "payload_bytes_per_frame"),
            "wire_ratio": ratio(row, "wire_bytes_per_frame"),
        }
        for row in rows
    ]
