from events.audit import Audit
from events.bus import Bus


def test_publish_counts_handlers():
    bus = Bus()
    bus.subscribe("a", print)
    assert bus.publish("b", 1) == 0


def test_order_of_handlers():
    bus, out = Bus(), []
    bus.subscribe("a", lambda payload: out.append(("first", payload)))
    bus.subscribe("a", lambda payload: out.append(("second", payload)))
    bus.publish("a", 7)
    assert out == [("first", 7), ("second", 7)]


def test_audit_of_one_topic():
    bus, audit = Bus(), Audit()
    audit.watch(bus, ["login"])
    bus.publish("login", "ann")
    bus.publish("logout", "ann")
    assert audit.lines == [("login", "ann")]


def test_audit_keeps_topics_apart():
    bus, audit = Bus(), Audit()
    audit.watch(bus, ["login", "logout"])
    bus.publish("login", "ann")
    bus.publish("logout", "bob")
    assert audit.seen("login") == ["ann"]
    assert audit.seen("logout") == ["bob"]


def test_audit_of_nothing():
    assert Audit().seen("login") == []
