import pytest
from studio import Rack, Session
from studio.gear import GearError


@pytest.fixture
def rack():
    return Rack(["vocals", "piano", "snare", "room"], defective=["snare"])


def test_a_take_has_one_track_for_each_microphone(rack):
    with Session(rack, ["piano", "vocals"]) as session:
        assert session.record("intro") == 1
        assert session.record("verse") == 2
    assert session.takes == [["piano: intro", "vocals: intro"], ["piano: verse", "vocals: verse"]]


def test_microphones_are_live_inside_the_block(rack):
    with Session(rack, ["room", "piano"]):
        assert rack.live == ["room", "piano"]


def test_microphones_are_off_after_the_block(rack):
    with Session(rack, ["room", "piano"]):
        pass
    assert rack.live == []


def test_microphones_are_off_after_an_error_in_the_block(rack):
    with pytest.raises(RuntimeError, match="string broke"), Session(rack, ["room"]):
        raise RuntimeError("string broke")
    assert rack.live == []


def test_nothing_stays_on_when_one_gives_no_signal(rack):
    with pytest.raises(GearError, match="snare gives no signal"), Session(rack, ["piano", "snare", "room"]):
        pass
    assert rack.live == []


def test_nothing_stays_on_when_one_does_not_exist(rack):
    with pytest.raises(GearError, match="there is no banjo"), Session(rack, ["piano", "banjo"]):
        pass
    assert rack.live == []


def test_a_taken_microphone_is_refused_and_the_first_session_goes_on(rack):
    with Session(rack, ["piano"]) as first:
        with pytest.raises(GearError, match="piano is taken"), Session(rack, ["vocals", "piano"]):
            pass
        assert rack.live == ["piano"]
        assert first.record("solo") == 1


def test_a_session_can_be_used_again(rack):
    session = Session(rack, ["vocals"])
    with session:
        session.record("morning")
    with session:
        session.record("evening")
    assert session.takes == [["vocals: morning"], ["vocals: evening"]]
    assert rack.live == []


def test_a_session_without_microphones_records_empty_takes(rack):
    with Session(rack, []) as session:
        session.record("silence")
    assert session.takes == [[]]
