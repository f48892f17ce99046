"""Writing rows to files: Parquet (compressed, what `datasets` reads best) or JSON lines, shard by shard; never all in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import msgspec

from suture_training.data.columns import Shape, columns_of
from suture_training.data.rows import Kind
from suture_training.libraries import library

Format = Literal["parquet", "jsonl"]
SHARD_BYTES = 256 << 20
"""Of rows as JSON, from which on the next shard is begun."""
REPEATED = (
    "tools",
    "chat_template_kwargs",
    "secrets",
    "source",
    "environment",
    "harness",
    "policy",
    "policy_name",
    "adapter",
    "check",
    "repository",
    "outcome",
    "decision",
)
"""Columns in which few values stand in many rows: Parquet keeps each once. To look for repetitions in the others too would cost more."""
_FEATURES: Mapping[Shape, dict[str, Any]] = {
    "json": {"_type": "Json"},
    "jsons": {"feature": {"_type": "Json"}, "_type": "List"},
    "string": {"dtype": "string", "_type": "Value"},
    "float": {"dtype": "float64", "_type": "Value"},
    "int": {"dtype": "int64", "_type": "Value"},
    "bool": {"dtype": "bool", "_type": "Value"},
    "ints": {"feature": {"dtype": "int32", "_type": "Value"}, "_type": "List"},
}


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One written file."""

    file: str
    rows: int
    bytes: int
    sha256: str


Cells = Mapping[str, Sequence[Any]]
"""Some rows, column by column; JSON as bytes."""


class _Sink(Protocol):
    """An open shard."""

    def write(self, cells: Cells) -> None: ...

    def close(self) -> None: ...


class Shards:
    """Takes rows and writes them into shards of a folder."""

    def __init__(self, folder: Path, kind: Kind, fmt: Format = "parquet") -> None:
        self._folder = folder
        self._columns = columns_of(kind)
        self._format: Format = fmt
        self._sink: _Sink | None = None
        self._rows = 0
        self._bytes = 0
        self.done: list[Shard] = []

    def write(self, cells: Cells, rows: int, size: int) -> None:
        """Write some rows; `size`: about how many bytes they have."""
        if not rows:
            return
        if self._sink is None:
            make = _Parquet if self._format == "parquet" else _Lines
            self._sink = make(self._path(), self._columns)
        self._sink.write(cells)
        self._rows += rows
        self._bytes += size
        if self._bytes >= SHARD_BYTES:
            self.close()

    def close(self) -> None:
        """Finish the shard that is being written, where there is one."""
        if self._sink is None:
            return
        self._sink.close()
        path = self._path()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.done.append(Shard(file=path.name, rows=self._rows, bytes=path.stat().st_size, sha256=digest))
        self._sink, self._rows, self._bytes = None, 0, 0

    def _path(self) -> Path:
        return self._folder / f"train-{len(self.done):05d}.{self._format}"


class _Parquet:
    """A Parquet file; a row group a write."""

    def __init__(self, path: Path, columns: Mapping[str, Shape]) -> None:
        self._columns = columns
        self._schema = schema_of(columns)
        options = {"compression": "zstd", "compression_level": 1, "write_statistics": False, "use_dictionary": list(REPEATED)}
        self._writer: Any = library("pyarrow.parquet").ParquetWriter(path, self._schema, **options)

    def write(self, cells: Cells) -> None:
        arrays = [_array(cells[name], shape) for name, shape in self._columns.items()]
        self._writer.write_table(library("pyarrow").Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Lines:
    """A file of JSON lines."""

    def __init__(self, path: Path, columns: Mapping[str, Shape]) -> None:
        self._columns = columns
        self._encoder = msgspec.json.Encoder()
        self._file: IO[bytes] = path.open("wb")

    def write(self, cells: Cells) -> None:
        raw = [[_raw(cell, shape) for cell in cells[name]] for name, shape in self._columns.items()]
        self._file.write(self._encoder.encode_lines([dict(zip(self._columns, row, strict=True)) for row in zip(*raw, strict=True)]))

    def close(self) -> None:
        self._file.close()


def _raw(cell: Any, shape: Shape) -> Any:  # noqa: ANN401  # any cell
    if shape == "json":
        return msgspec.Raw(cell)
    return [msgspec.Raw(each) for each in cell] if shape == "jsons" else cell


def schema_of(columns: Mapping[str, Shape]) -> Any:  # noqa: ANN401  # a pyarrow.Schema
    """The Arrow schema, with what `datasets` reads from it: the same as that of `datasets.Features`, without importing it."""
    pa = library("pyarrow")
    types = {
        "json": pa.json_(),
        "jsons": pa.list_(pa.json_()),
        "string": pa.string(),
        "float": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "ints": pa.list_(pa.int32()),
    }
    features = {name: _FEATURES[shape] for name, shape in columns.items()}
    metadata = {"huggingface": msgspec.json.encode({"info": {"features": features}}).decode()}
    return pa.schema([pa.field(name, types[shape]) for name, shape in columns.items()], metadata=metadata)


def _array(values: Sequence[Any], shape: Shape) -> Any:  # noqa: ANN401  # a pyarrow.Array
    """A column. JSON comes as bytes, which Arrow takes as they are."""
    pa = library("pyarrow")
    if shape == "json":
        return _json(values)
    if shape == "jsons":
        offsets = [0]
        for value in values:
            offsets.append(offsets[-1] + len(value))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _json([each for value in values for each in value]))
    types = {"string": pa.string(), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "ints": pa.list_(pa.int32())}
    return pa.array(values, types[shape])


def _json(values: Sequence[bytes]) -> Any:  # noqa: ANN401  # a pyarrow.ExtensionArray
    pa = library("pyarrow")
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(values, pa.binary()).cast(pa.string()))
