"""Errors of replay/.

ReplayError          the base; its message is one line for the person at the keyboard
├── ClipError        a picture or clip cannot be read or written
├── ModelMismatch    the recording was made with other weights than those at hand
├── CompareError     clips, codecs or weights of a comparison cannot be used
├── DamagedRecording what was good was written, the rest could not be read
├── TraceError       a simulated link's trace that is none
├── CheckError       no recordings to check, or no baseline to check against; calls that got worse
├── IdentityError    the network that tells faces apart is not at hand
├── RatingError      pairs to rate or choices that cannot be used
└── DemoError        one of the demo's programs failed; carries that program's words
"""


class ReplayError(Exception):
    """Base of what can go wrong in replay/."""


class ClipError(ReplayError):
    """A picture or clip cannot be read or written."""


class ModelMismatch(ReplayError):
    """The recording was made with other weights than those at hand."""


class DamagedRecording(ReplayError):
    """The recording ends in damage; what came before it was written."""


class DemoError(ReplayError):
    """One of the demo's programs failed."""


class TraceError(ReplayError):
    """The trace of a simulated link is none."""


class RatingError(ReplayError):
    """Pairs of videos to rate, or the choices made so far, cannot be used."""


class IdentityError(ReplayError):
    """Faces cannot be told apart: the recognition network is not at hand."""


class CompareError(ReplayError):
    """Clips, codecs, weights or results of a comparison cannot be used."""


class CheckError(ReplayError):
    """There are no recordings to check, no baseline, or calls got worse."""
