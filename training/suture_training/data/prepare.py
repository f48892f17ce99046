"""Batches of rows made ready to be written: held against held-out tasks, looked through for secrets, as columns, with what repetitions are
known by. All that costs time is here, and nothing that depends on other batches, so that several processes can do it side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, islice
from typing import Any

import msgspec

from suture_agent.policies import ToolSchema
from suture_training.data.columns import cells_of, message_json, tools_json
from suture_training.data.duplicates import Keys, keys_of
from suture_training.data.figures import Measures, Tally, measures_of
from suture_training.data.leakage import HeldOut
from suture_training.data.rows import Kind, Row, said
from suture_training.data.secrets import Scanner

BATCH = 512
"""Rows that are made ready together."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is ready: a list for each column, and of what is counted and compared one entry a row."""

    cells: dict[str, list[Any]]
    keys: list[Keys]
    measures: Measures
    left_out: dict[str, int]
    """Reason -> rows, or episodes that gave none."""

    @property
    def rows(self) -> int:
        """How many rows are ready."""
        return len(self.keys)

    def kept(self, chosen: Sequence[bool]) -> Prepared:
        """The chosen rows."""
        return Prepared(
            cells={name: list(compress(values, chosen)) for name, values in self.cells.items()},
            keys=list(compress(self.keys, chosen)),
            measures=self.measures.kept(chosen),
            left_out=self.left_out,
        )


class Preparer:
    """Makes batches ready."""

    def __init__(self, kind: Kind, held_out: HeldOut | None = None) -> None:
        self._kind: Kind = kind
        self._held_out = held_out or HeldOut()
        self._scanner = Scanner()
        self._tools: dict[int, tuple[tuple[ToolSchema, ...], bytes]] = {}

    def batches(self, rows: Iterable[Row], tally: Tally) -> Iterator[Prepared]:
        """All rows, batch by batch; `tally` is emptied into the batches."""
        source = iter(rows)
        while True:
            batch = list(islice(source, BATCH))
            left_out = tally.taken()
            if not batch and not left_out:
                return
            yield self.prepare(batch, left_out)

    def prepare(self, rows: Sequence[Row], left_out: Counter[str]) -> Prepared:
        """Make a batch ready; `left_out` goes with it."""
        fit: list[Row] = []
        for row in rows:
            if reason := self._held_out.leak(row):
                left_out[reason] += 1
            else:
                fit.append(row)
        clean: list[Row] = []
        for checked in self._scanner.checked(fit):
            if checked.refused:
                left_out[checked.refused] += 1
            else:
                clean.append(checked.row)
        messages = [[message_json(message) for message in said(row)] for row in clean]
        cells = cells_of(self._kind, clean, messages)
        cells["tools"] = [self._tools_json(row.tools) for row in clean]
        keys = [keys_of(row, each) for row, each in zip(clean, messages, strict=True)]
        return Prepared(cells=cells, keys=keys, measures=measures_of(clean, messages), left_out=dict(left_out))

    def _tools_json(self, tools: tuple[ToolSchema, ...]) -> bytes:
        """Tools as JSON. Rows of one harness hold one and the same tuple, so it is known by its identity."""
        known = self._tools.get(id(tools))
        if known is None or known[0] is not tools:
            if len(self._tools) > 1000:
                self._tools.clear()
            known = self._tools[id(tools)] = (tools, tools_json(tools))
        return known[1]
