from audit import Outbox, worker_name


def test_nothing_to_take():
    assert Outbox(print).take(timeout=0) is None


def test_put_and_take():
    box = Outbox(print)
    box.put({"id": 1})
    box.put({"id": 2})
    assert box.take() == {"id": 1}
    assert box.take() == {"id": 2}


def test_run_once():
    seen = []
    box = Outbox(seen.append)
    assert not box.run_once(timeout=0)
    box.put({"to": "ann"})
    assert box.run_once()
    assert seen == [{"to": "ann"}]


def test_worker_name():
    assert worker_name() == "outbox-MainThread"
