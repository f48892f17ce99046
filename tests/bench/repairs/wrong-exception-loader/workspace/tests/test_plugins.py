import math

import pytest

from plugins.errors import PluginError
from plugins.loader import load, load_all
from plugins.run import run


def test_load():
    assert load("math:sqrt") is math.sqrt


def test_dotted_module():
    assert load("os.path:basename")("a/b") == "b"


def test_error_text():
    assert str(PluginError("x", "is odd")) == "x: is odd"


def test_run():
    assert run(["math:sqrt", "math:floor"], 10) == (3, [])


def test_no_attribute_given():
    with pytest.raises(PluginError, match="math: no attribute given"):
        load("math")


def test_missing_module():
    with pytest.raises(PluginError) as caught:
        load("no_such_thing_here:x")
    assert caught.value.reason == "cannot be imported"


def test_missing_attribute():
    with pytest.raises(PluginError, match="has no squareroot"):
        load("math:squareroot")


def test_load_all():
    loaded, failed = load_all(["math:pi", "math", "nothing_at_all:x"])
    assert list(loaded) == ["math:pi"]
    assert [error.name for error in failed] == ["math", "nothing_at_all:x"]


def test_run_reports():
    assert run(["math:cube_root", "math:sqrt"], 16) == (4.0, ["skipped math:cube_root (has no cube_root)"])
