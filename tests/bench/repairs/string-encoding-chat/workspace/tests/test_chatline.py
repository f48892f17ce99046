import pytest

from chatline.message import Message
from chatline.reader import LineReader
from chatline.room import Room


def test_one_line():
    assert LineReader().feed(b"anna: hello\n") == ["anna: hello"]


def test_many_lines_in_a_chunk():
    reader = LineReader()
    assert reader.feed(b"a: 1\r\nb: 2\nc:") == ["a: 1", "b: 2"]
    assert reader.pending == "c:"


def test_line_from_many_chunks():
    reader = LineReader()
    assert reader.feed(b"anna:") == []
    assert reader.feed(b" hel") == []
    assert reader.feed(b"lo\n") == ["anna: hello"]
    assert reader.pending == ""


def test_whole_umlauts():
    assert LineReader().feed("jörg: grüße\n".encode()) == ["jörg: grüße"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_chunks_of_any_size(size):
    data = "zoë: 10 € – ça va? 🙂\n".encode()
    reader = LineReader()
    lines = [line for start in range(0, len(data), size) for line in reader.feed(data[start : start + size])]
    assert lines == ["zoë: 10 € – ça va? 🙂"]


def test_other_encodings_are_replaced():
    assert LineReader().feed("jörg: hm\n".encode("latin-1")) == ["j\ufffdrg: hm"]


def test_limit():
    assert LineReader(limit=4).feed(b"anna: hello\n") == ["anna"]


def test_parse():
    assert Message.parse(" bo : a: b ") == Message("bo", "a: b")
    with pytest.raises(ValueError, match="not a message"):
        Message.parse("hello")


def test_room():
    room = Room()
    room.receive(b"bo: hi\nnoise\nbo: b")
    room.receive(b"ye\n")
    assert room.messages == [Message("bo", "hi"), Message("bo", "bye")]
    assert room.refused == 1


def test_room_with_a_split_character():
    room = Room()
    for chunk in (b"bo: caf\xc3", b"\xa9\n"):
        room.receive(chunk)
    assert room.messages == [Message("bo", "café")]
