"""Errors of data preparation, training and validation; each message is one line: what was expected, what came.

TrainingError
├── PrepareError      the environment or the arguments of `facewire prepare`
├── ClipRejected      one clip cannot be used, and why; `prepare` notes it and goes on
└── DataError         a prepared folder that is missing, cut or of another version
"""


class TrainingError(Exception):
    """Base of every error that `models.training` raises for its user."""


class PrepareError(TrainingError):
    """`facewire prepare` cannot work at all: no clips, no MediaPipe, no place to write."""


class ClipRejected(TrainingError):
    """One clip is of no use for training; the message is the reason that index.json keeps."""


class DataError(TrainingError):
    """Prepared data could not be read as index.json describes it."""
