import string

import pytest

from linkstamp import BadStamp, open_stamp, stamp, stamped_link, visitor_of
from linkstamp.stamps import from_word, to_word

KEY = b"front desk"


def test_a_stamp_opens_with_its_key():
    record = {"v": "Ann", "room": 12}
    assert open_stamp(stamp(record, KEY), KEY) == record


def test_many_visitors_get_their_own_record_back():
    for number in range(200):
        record = {"v": f"guest {number}", "room": number}
        assert open_stamp(stamp(record, KEY), KEY) == record


def test_words_of_every_length():
    for data in (b"", b"a", b"ab", b"abc", b"abcd"):
        assert from_word(to_word(data)) == data


def test_words_of_all_bytes():
    data = bytes(range(256))
    word = to_word(data)
    assert set(word) <= set(string.ascii_letters + string.digits + "-_")
    assert from_word(word) == data


def test_another_key_does_not_open_it():
    with pytest.raises(BadStamp, match="signature"):
        open_stamp(stamp({"v": "Ann"}, KEY), b"back door")


def test_half_a_stamp():
    with pytest.raises(BadStamp, match="two parts"):
        open_stamp("eyJ2IjoiQW5uIn0", KEY)


@pytest.mark.parametrize("visitor", ["Ann", "王芳", "what?>>", "a~~~b"])
def test_links_bring_the_visitor_back(visitor):
    link = stamped_link("https://inn.example/hello", visitor, KEY)
    assert visitor_of(link, KEY) == visitor


def test_link_with_a_query_of_its_own():
    link = stamped_link("https://inn.example/hello?lang=en", "Ann", KEY)
    assert link.startswith("https://inn.example/hello?lang=en&s=")
    assert visitor_of(link, KEY) == "Ann"


def test_link_without_a_stamp():
    with pytest.raises(BadStamp, match="no stamp"):
        visitor_of("https://inn.example/hello", KEY)
