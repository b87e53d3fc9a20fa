"""Folders of public sets, read as they are: which set a clip belongs to, its name and whose it is, by its path alone.

    VoxCeleb2        {dev,test}/mp4/idXXXXX/VIDEO/00001.mp4         person idXXXXX; dev is train, test is val
    TalkingHead-1KH  {train,val}/cropped_clips/VIDEO_S0_E100_L1_T2_R3_B4.mp4
                     VIDEO is a YouTube id and the part's number; people are not told apart within a YouTube id

VoxCeleb2 counts its utterances from 00001 in every video, so names carry person and video.
"""

import re
from pathlib import PurePath
from typing import NamedTuple

_VOXCELEB2_SETS = {"dev": "train", "test": "val"}
_VOXCELEB2_PERSON = re.compile(r"id\d{5}")
_TALKING_HEAD = re.compile(r"(?P<video>.+?)(_\d{4})?_S\d+_E\d+_L\d+_T\d+_R\d+_B\d+")


class Place(NamedTuple):
    """What a path says of its clip."""

    split: str
    name: str
    identity: str


def recognise(path: PurePath) -> Place | None:
    """The place of a clip in one of the known layouts, else None."""
    return _voxceleb2(path) or _talking_head(path)


def _voxceleb2(path: PurePath) -> Place | None:
    if len(path.parts) < 5:
        return None
    split, kind, person, video = path.parts[-5:-1]
    if split not in _VOXCELEB2_SETS or kind != "mp4" or not _VOXCELEB2_PERSON.fullmatch(person):
        return None
    return Place(_VOXCELEB2_SETS[split], f"{person}_{video}_{path.stem}", person)


def _talking_head(path: PurePath) -> Place | None:
    if len(path.parts) < 3 or path.parts[-2] != "cropped_clips":
        return None
    clip = _TALKING_HEAD.fullmatch(path.stem)
    return Place(path.parts[-3], path.stem, clip["video"] if clip else path.stem)
