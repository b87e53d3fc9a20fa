"""Errors of call/.

CallError           the base; its message is one line for the person at the keyboard
├── StateError      a state that cannot follow the one before it
├── PictureError    what was given as a source picture cannot be used
├── PageError       the page said something that it may not
└── NoPicture       a headless call ended before anything of the other side was seen or heard
"""


class CallError(Exception):
    """Base of what can go wrong in call/."""


class StateError(CallError):
    """A state that cannot follow the one before it."""


class PictureError(CallError):
    """What was given as a source picture cannot be used."""


class PageError(CallError):
    """The page said something that it may not."""


class NoPicture(CallError):
    """A headless call ended before anything of the other side was seen or heard."""
