"""Errors of sender/.

SenderError         the base; its message is one line for the person at the keyboard
├── InputError      no file, not a video, ends at once, no camera, camera stopped
└── NoFace          nobody to send
"""


class SenderError(Exception):
    """Base of what can go wrong in sender/."""


class InputError(SenderError):
    """The clip or camera cannot be used."""


class NoFace(SenderError):
    """The clip or camera shows no face."""
