import pytest

from drawing.canvas import Canvas


@pytest.fixture
def canvas():
    return Canvas()
