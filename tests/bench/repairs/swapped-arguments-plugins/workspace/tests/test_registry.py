import types

import pytest

from exporters.base import Exporter
from exporters.formats import Markdown, Tabs
from exporters.registry import discover, exporter_for

ROWS = [("a", "b"), ("c", "d")]


def module(**members):
    made = types.ModuleType("made")
    vars(made).update(members)
    return made


def test_discover():
    assert discover(module(Tabs=Tabs, Markdown=Markdown)) == {".tsv": Tabs, ".md": Markdown}


def test_base_class_is_no_format():
    assert discover(module(Exporter=Exporter, Tabs=Tabs)) == {".tsv": Tabs}


def test_other_members_are_left_alone():
    assert discover(module(text="x", number=int, base=object, function=len)) == {}


def test_empty_module():
    assert discover(module()) == {}


def test_export_tabs():
    assert exporter_for("x.tsv").export(ROWS) == "a\tb\nc\td"


def test_export_markdown():
    assert exporter_for("dir/x.md").export(ROWS) == "| a | b |\n| c | d |"


def test_subclass_of_a_format():
    assert exporter_for("x.mdx").export([("a",)]) == "|     a     |"


@pytest.mark.parametrize("filename", ["x.pdf", "README"])
def test_no_format(filename):
    with pytest.raises(LookupError, match="no format for"):
        exporter_for(filename)
