import xml.etree.ElementTree as ET

import pytest

from feeds.digest import digest
from feeds.rss import body, entries

FEED = """<feed><id>7</id>
<entry><title> One </title><link>http://x/1</link><body>plain text</body></entry>
<entry><title>Two</title><body encoding="base64">Z3LDvMOfZQ==</body></entry>
</feed>"""


def test_plain_body():
    assert body(ET.fromstring("<body>hi</body>")) == "hi"


def test_empty_body():
    assert body(None) == ""
    assert body(ET.fromstring("<body/>")) == ""


def test_entries():
    one, two = entries(FEED)
    assert one == {"title": "One", "link": "http://x/1", "body": "plain text"}
    assert two["link"] is None


def test_base64_body():
    assert entries(FEED)[1]["body"] == "grüße"


def test_not_xml():
    with pytest.raises(ET.ParseError):
        entries("hello")


def test_digest():
    assert digest([{"title": "T", "body": "a" * 30}]) == ["1. T: " + "a" * 17 + "..."]
    assert digest([]) == []
