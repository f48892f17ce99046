import pytest

from kvstore import MissingKey, Store, StoreError


@pytest.fixture
def store():
    store = Store()
    store.put("users/ann", 1)
    store.put("users/bob", 2)
    store.put("colour", "red")
    return store


def test_get(store):
    assert store.get("users/bob") == 2


def test_default_namespace(store):
    assert store.get("default/colour") == "red"


def test_overwrite(store):
    store.put("colour", "blue")
    assert store.get("colour") == "blue"


def test_keys(store):
    assert list(store.keys("users")) == ["ann", "bob"]
    assert list(store.keys("nothing")) == []


def test_missing_name(store):
    with pytest.raises(MissingKey) as caught:
        store.get("users/cy")
    assert caught.value.key == "users/cy"


def test_missing_namespace(store):
    with pytest.raises(StoreError, match="no such key: teams/x"):
        store.get("teams/x")
