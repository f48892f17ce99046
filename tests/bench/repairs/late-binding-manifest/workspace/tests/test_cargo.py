import pytest

from manifest.cargo import kilos_by_port, load

TEXT = """\
MSKU1234565nlrtm  21500
TGHU7654321deham   9800

MSKU1112223NLRTM    500
"""


@pytest.fixture
def containers():
    return load(TEXT)


def test_load_skips_empty_lines(containers):
    assert len(containers) == 3


def test_kilos(containers):
    assert containers[1].as_dict() == {"number": "TGHU7654321", "port": "DEHAM", "kilos": 9800}


def test_kilos_by_port(containers):
    assert kilos_by_port(containers) == {"NLRTM": 22000, "DEHAM": 9800}


def test_nothing_loaded():
    assert kilos_by_port(load("\n")) == {}
