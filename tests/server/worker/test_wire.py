"""Every message survives the way; what is none is an error."""

from __future__ import annotations

import asyncio
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_server.worker import wire

TO_WORKER, FROM_WORKER = typing.get_args(wire.ToWorker), typing.get_args(wire.FromWorker)
ANSWERS = (wire.Opened, wire.Checked, wire.Repaired, wire.Text, wire.Left, wire.Done)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**40), 2**40),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Any: st.none() | TEXT | st.integers(0, 9),
    msgspec.Raw: st.sampled_from([msgspec.Raw(b'{"a":1}'), msgspec.Raw(b"null")]),
}


def strategy(kind: Any) -> st.SearchStrategy[Any]:
    """A message with anything in its fields that their types allow."""
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{name: strategy(hint) for name, hint in hints.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return st.lists(strategy(arguments[0]), max_size=2).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is not None and issubclass(origin if isinstance(origin, type) else object, typing.Mapping):
        return st.dictionaries(TEXT, strategy(arguments[1]), max_size=2)
    if arguments:
        return st.one_of(*(strategy(each) for each in arguments))
    return st.from_type(kind)


def passed_on(*messages: object) -> list[bytes]:
    async def way() -> list[bytes]:
        reader = asyncio.StreamReader()
        for each in messages:
            reader.feed_data(wire.pack(each))
        reader.feed_eof()
        return [await wire.receive(reader) for _ in messages]

    return asyncio.run(way())


@pytest.mark.parametrize("kind", TO_WORKER + FROM_WORKER, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_message_survives(kind: type, data: st.DataObject):
    message = data.draw(strategy(kind))
    (raw,) = passed_on(message)
    found = msgspec.json.decode(raw, type=wire.ToWorker if kind in TO_WORKER else wire.FromWorker)
    assert type(found) is kind
    if kind is wire.Answer:
        assert (found.id, bytes(found.result)) == (message.id, bytes(message.result))
    else:
        assert found == message


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_answer_survives(kind: type, data: st.DataObject):
    message = data.draw(strategy(kind))
    (raw,) = passed_on(wire.Answer(id=7, result=msgspec.Raw(msgspec.json.encode(message))))
    answer = msgspec.json.decode(raw, type=wire.FromWorker)
    assert msgspec.json.decode(answer.result, type=kind) == message


@given(st.binary(max_size=64))
def test_contents_of_files_survive(content: bytes):
    edit = FileEdit(path="a", before=None, after=content)
    message = wire.Prove(id=1, offer="o", job="j", generation=0, mark="m", patch=Patch((edit,)))
    (raw,) = passed_on(message)
    assert msgspec.json.decode(raw, type=wire.ToWorker) == message


def test_messages_keep_their_order():
    messages = [wire.Cancel(request=number) for number in range(50)]
    assert [msgspec.json.decode(raw, type=wire.ToWorker).request for raw in passed_on(*messages)] == list(range(50))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"type":"Nothing","id":1}',
        b'{"type":"Open"}',
        b'{"type":"Open","id":"x"}',
        b'{"type":"Answer"}',
    ],
)
@pytest.mark.parametrize("kind", [wire.ToWorker, wire.FromWorker])
def test_garbage_is_a_value_error(raw: bytes, kind: Any):
    with pytest.raises(ValueError):
        msgspec.json.decode(raw, type=kind)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", asyncio.IncompleteReadError),
        (b"\0\0", asyncio.IncompleteReadError),
        (b"\0\0\0\x05abcd", asyncio.IncompleteReadError),
        (b"\xff\xff\xff\xff", ValueError),
        (b"GET / HTTP/1.1\r\n\r\n", ValueError),
        ((wire.LARGEST + 1).to_bytes(4, "big"), ValueError),
        (wire.LARGEST.to_bytes(4, "big"), asyncio.IncompleteReadError),
    ],
)
def test_what_is_no_message_is_an_error(raw: bytes, error: type[Exception]):
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        reader.feed_eof()
        await wire.receive(reader)

    with pytest.raises(error):
        asyncio.run(read())


def test_a_finding_that_is_not_ascii_is_no_longer_than_it_must_be():
    finding = Finding(check="tests", path="ü.py", range=((0, 0), (0, 0)), message="é\U0001f600\u2028")
    assert "é\U0001f600\u2028".encode() in wire.pack(wire.Found(generation=1, check="tests", findings=(finding,)))
