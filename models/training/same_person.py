"""Whether canonical keypoints know a person again: nearest source among all clips (FV2V B.5).

Keypoints x_c that hold nothing of pose and expression are nearest to those of the same person's source picture. FV2V
report 27 times the rate of guessing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SamePerson:
    """right: share of frames whose nearest source shows their person; chance: that of a guess; None where no frame has
    a right answer to find.
    """

    frames: int
    right: float | None
    chance: float | None

    @property
    def times_chance(self) -> float | None:
        """How many times better than a guess."""
        return None if self.right is None or not self.chance else self.right / self.chance


def nearest_sources(shapes: Sequence[Tensor], people: Sequence[str], own_clip: bool = True) -> SamePerson:
    """Look for each frame's person among the sources of all clips, by Euclidean distance of all keypoints.

    Args: shapes: x_c [1+N,K,3] of each clip, of its source first. people: who is in each clip. own_clip: whether the
    source of the frame's own clip is among those looked at; without it only people with a second clip count.
    """
    sources = torch.stack([clip[0].flatten() for clip in shapes])  # [M,3K]
    same = torch.tensor([[a == b for b in people] for a in people])  # [M,M]
    right = chance = 0.0
    frames = 0
    for number, clip in enumerate(shapes):
        open_to = torch.ones(len(shapes), dtype=torch.bool)
        open_to[number] = own_clip
        wanted = same[number] & open_to
        if not wanted.any():
            continue
        distance = torch.cdist(clip[1:].flatten(1), sources[open_to])
        right += float(same[number][open_to][distance.argmin(1)].sum())
        chance += len(clip[1:]) * float(wanted.sum() / open_to.sum())
        frames += len(clip[1:])
    return SamePerson(frames, right / frames if frames else None, chance / frames if frames else None)
