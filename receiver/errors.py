"""Errors of receiver/.

ReceiverError       the base; its message is one line for the person at the keyboard
├── OutputError     the video or recording cannot be written
├── ViewError       a view or picture size that cannot be had
├── SourceError     the source picture is none, or is not one that this model can use
└── NothingCame     the call ended before a single frame was there to show
"""


class ReceiverError(Exception):
    """Base of what can go wrong in receiver/."""


class OutputError(ReceiverError):
    """The video or recording cannot be written."""


class ViewError(ReceiverError):
    """A view or picture size that cannot be had."""


class SourceError(ReceiverError):
    """The source picture is none, or is not one that this model can use."""


class NothingCame(ReceiverError):
    """The call ended before a single frame was there to show."""
