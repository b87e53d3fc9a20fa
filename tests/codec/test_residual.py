"""Residuals: any integers come back, contexts are those that the fitting counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import Level, WireError
from codec.predictive_fit import contexts_of
from codec.quantise import LARGEST
from codec.residual import code_frame
from codec.symbols import Model, SymbolReader, SymbolWriter
from tests.codec.synthetic import fitted_tables

K = 3
INTEGERS = st.lists(st.one_of(st.integers(-3, 3), st.integers(-LARGEST, LARGEST)), min_size=15, max_size=15)


class Watching(SymbolWriter):
    """Notes which model each symbol was coded with."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Model] = []

    def code(self, symbol: int, model: Model) -> int:
        self.models.append(model)
        return super().code(symbol, model)


@given(INTEGERS, INTEGERS, st.sampled_from(Level), st.booleans())
def test_any_integers_come_back(integers: list[int], reference: list[int], level: Level, begins: bool) -> None:
    tables, writer = fitted_tables(K).predictive, SymbolWriter()
    assert code_frame(writer, integers, reference, tables, level, begins) == integers
    reader = SymbolReader(writer.finish())
    assert code_frame(reader, [0] * 15, reference, tables, level, begins) == integers
    reader.finish()


def test_contexts_are_those_that_were_counted() -> None:
    tables, rng = fitted_tables(K).predictive, np.random.default_rng(3)
    for level in Level:
        residuals = np.rint(rng.laplace(0, 2, 15)).clip(-12, 12).astype(np.int64)
        writer = Watching()
        code_frame(writer, residuals.tolist(), [0] * 15, tables, level, begins=False)
        (contexts,) = contexts_of(residuals[None], tables.arrays["weights"][level].astype(np.int64))
        expected = [tables.models[level][index][context] for index, context in enumerate(contexts)]
        assert [id(model) for model in writer.models] == [id(model) for model in expected]


def test_a_sum_out_of_range_is_refused() -> None:
    tables, writer = fitted_tables(K).predictive, SymbolWriter()
    code_frame(writer, [40, *[0] * 14], [0] * 15, tables, Level.HIGH, begins=False)
    with pytest.raises(WireError, match="integers up to 32767, got 32807"):
        code_frame(SymbolReader(writer.finish()), [0] * 15, [LARGEST, *[0] * 14], tables, Level.HIGH, begins=False)
