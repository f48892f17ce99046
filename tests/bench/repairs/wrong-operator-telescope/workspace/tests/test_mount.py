import pytest

from mount.mount import Mount, MountError


def test_a_new_mount_is_parked():
    assert list(Mount().status) == ["power", "parked", "brake"]


def test_no_slewing_while_parked():
    with pytest.raises(MountError, match="power, parked, brake"):
        Mount().slew()


def test_slew_then_track():
    mount = Mount()
    mount.unpark()
    mount.slew()
    assert list(mount.status) == ["power", "slewing"]
    mount.track()
    assert list(mount.status) == ["power", "tracking"]


def test_park_while_tracking():
    mount = Mount()
    mount.unpark()
    mount.track()
    mount.park()
    assert list(mount.status) == ["power", "parked", "brake"]
