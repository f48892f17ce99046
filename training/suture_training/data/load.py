"""Reading a dataset that `build` wrote: as `datasets.Dataset`, as an iterable one, or as the program's own rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from suture_training.data.build import Summary
from suture_training.data.columns import columns_of, row_of
from suture_training.data.rows import Row
from suture_training.data.shards import schema_of
from suture_training.errors import TrainingError
from suture_training.libraries import library


def summary_of(folder: Path) -> Summary:
    """What the dataset is: identity, digest, figures."""
    try:
        return msgspec.json.decode((folder / "summary.json").read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"{folder} is no dataset of suture: {error}", remedy="suture journal export FOLDER makes one") from error


def dataset(folder: Path, *, streaming: bool = False) -> Any:  # noqa: ANN401  # datasets.Dataset or datasets.IterableDataset
    """The dataset as TRL takes it; nothing is downloaded. Columns beside TRL's own say where each row comes from."""
    datasets = library("datasets")
    summary = summary_of(folder)
    files = [str(folder / shard.file) for shard in summary.shards]
    kind = "parquet" if files[0].endswith(".parquet") else "json"
    features = datasets.Features.from_arrow_schema(schema_of(columns_of(summary.kind)))
    return datasets.load_dataset(kind, data_files=files, split="train", streaming=streaming, features=features)


def rows(folder: Path) -> Iterator[Row]:
    """The dataset's rows, in order, one row group in memory at a time."""
    summary = summary_of(folder)
    columns = columns_of(summary.kind)
    for shard in summary.shards:
        path = folder / shard.file
        found = _parquet(path) if path.suffix == ".parquet" else _lines(path)
        for cells in found:
            if path.suffix == ".parquet":
                for name, shape in columns.items():
                    if shape == "json":
                        cells[name] = json.loads(cells[name])
                    elif shape == "jsons":
                        cells[name] = [json.loads(each) for each in cells[name]]
            yield row_of(summary.kind, cells)


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    for batch in library("pyarrow.parquet").ParquetFile(path).iter_batches(batch_size=256):
        yield from batch.to_pylist()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from (msgspec.json.decode(line) for line in file)
