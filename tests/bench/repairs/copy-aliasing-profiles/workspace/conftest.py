import copy

import pytest

from profiles import defaults
from profiles.manager import Manager


@pytest.fixture(autouse=True)
def fresh_defaults():
    saved = copy.deepcopy(defaults.DEFAULTS)
    yield
    defaults.DEFAULTS.clear()
    defaults.DEFAULTS.update(saved)


@pytest.fixture
def manager():
    return Manager()
