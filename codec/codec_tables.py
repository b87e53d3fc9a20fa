"""All tables of one model: both ends of a call code with the same ones or refuse."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import TablesError
from codec.predictive_default import default_tables
from codec.predictive_tables import PredictiveTables
from codec.tables import ByteTables

_PAPER: Final = "paper"


class CodecTables:
    """The byte tables of `paper`, and transform, steps and frequencies of `predictive`."""

    def __init__(self, paper: ByteTables, predictive: PredictiveTables) -> None:
        """Join tables. TablesError when they are for different numbers of keypoints."""
        if paper.keypoints != predictive.keypoints:
            raise TablesError(
                f"expected tables for as many keypoints, got {paper.keypoints} (paper) and {predictive.keypoints}"
            )
        self.paper = paper
        self.predictive = predictive

    @classmethod
    def default(cls, keypoints: int, scaled: bool = True) -> CodecTables:
        """Tables that know no model. Args: scaled: whether t_z is log-scale (`compact`) or depth (`paper`)."""
        uniform = np.full((6 * keypoints + 12, 256), 256)
        return cls(ByteTables(uniform), default_tables(keypoints, scaled))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CodecTables:
        """The inverse of `arrays`. TablesError where one is missing or not as it should be."""
        if _PAPER not in arrays:
            raise TablesError("expected the tables of the profile paper, found none")
        predictive = {name: array for name, array in arrays.items() if name != _PAPER}
        return cls(ByteTables(arrays[_PAPER]), PredictiveTables(predictive))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name, integers, as it is stored beside the weights."""
        return {_PAPER: self.paper.frequencies, **self.predictive.arrays}

    @property
    def keypoints(self) -> int:
        """K, the number of keypoints these tables are for."""
        return self.paper.keypoints

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of the two profiles' hashes (64 bytes), `paper` first."""
        both = bytes.fromhex(self.paper.sha256) + bytes.fromhex(self.predictive.sha256)
        return hashlib.sha256(both).hexdigest()
