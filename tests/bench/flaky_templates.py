"""Flaky tests by template, each with a healthy twin: what `bench_flaky.py` hunts. Nothing here is tried or measured.

Each template gives a piece of a test module, drawn with a seed. Its flaky test is called `test_flaky_N` and passes in the environment as it
is, at least most of the time; its twin `test_healthy_N` does the same work without depending on anything but the text. Helpers that set
the stage for an order are `test_helper_N_*`, and healthy by themselves.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Callable, Mapping

Template = Callable[[int, random.Random], str]

HEAD = (
    "import asyncio\nimport datetime\nimport os\nimport pathlib\nimport random\nimport socket\nimport sqlite3\nimport tempfile\n"
    "import threading\nimport time\nimport uuid\n\nimport pytest\n\nSTATE = {}\n"
)


def _order_setter(n: int, draw: random.Random) -> str:
    value = draw.randrange(1000)
    return f"""
def test_helper_{n}_set():
    STATE["n{n}"] = {value}

def test_flaky_{n}():
    assert STATE["n{n}"] == {value}

def test_healthy_{n}():
    state = {{"n{n}": {value}}}
    assert state["n{n}"] == {value}
"""


def _order_victim(n: int, draw: random.Random) -> str:
    return f"""
def test_flaky_{n}():
    assert os.environ.get("SHOP_MODE_{n}", "plain") == "plain"

def test_healthy_{n}(monkeypatch):
    monkeypatch.setenv("SHOP_MODE_{n}x", "plain")
    assert os.environ["SHOP_MODE_{n}x"] == "plain"

def test_helper_{n}_pollutes():
    os.environ["SHOP_MODE_{n}"] = "fast{draw.randrange(10)}"
    assert os.environ["SHOP_MODE_{n}"].startswith("fast")
"""


def _order_counter(n: int, draw: random.Random) -> str:
    first = draw.randrange(5)
    return f"""
NUMBERS_{n} = iter(range({first}, 100))

def test_flaky_{n}():
    assert next(NUMBERS_{n}) == {first}

def test_healthy_{n}():
    assert next(iter(range({first}, 100))) == {first}

def test_helper_{n}_next():
    assert next(NUMBERS_{n}) >= {first}
"""


def _time_zone(n: int, draw: random.Random) -> str:
    moment = draw.randrange(1_000_000_000, 1_700_000_000) // 86_400 * 86_400 + draw.randrange(24) * 3600
    text = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d %H:%M")
    return f"""
def test_flaky_{n}():
    assert time.strftime("%Y-%m-%d %H:%M", time.localtime({moment})) == "{text}"

def test_healthy_{n}():
    assert time.strftime("%Y-%m-%d %H:%M", time.gmtime({moment})) == "{text}"
"""


def _time_expiry(n: int, draw: random.Random) -> str:
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=draw.randrange(1, 390))
    return f"""
def test_flaky_{n}():
    assert datetime.datetime.now() < datetime.datetime({end.year}, {end.month}, {end.day}, 23)

def test_healthy_{n}():
    now = datetime.datetime.now()
    assert now < now + datetime.timedelta(days={draw.randrange(1, 9)})
"""


def _time_of_day(n: int, draw: random.Random) -> str:
    width = draw.randrange(6, 21)
    first = (dt.datetime.now(dt.UTC).hour - draw.randrange(2, width - 1)) % 24
    return f"""
def test_flaky_{n}():
    assert (time.gmtime().tm_hour - {first}) % 24 < {width}

def test_healthy_{n}():
    assert 0 <= (time.gmtime().tm_hour - {first}) % 24 < 24
"""


def _time_weekday(n: int, draw: random.Random) -> str:
    today = dt.datetime.now(dt.UTC).weekday()
    good = sorted({today, (today + 1) % 7, *draw.sample(range(7), 2)})
    return f"""
def test_flaky_{n}():
    assert datetime.datetime.now().weekday() in {good}

def test_healthy_{n}():
    assert datetime.date(2024, 1, {1 + draw.randrange(28)}).weekday() in range(7)
"""


def _time_second(n: int, draw: random.Random) -> str:
    return f"""
def test_flaky_{n}():
    assert time.time_ns() // 1_000_000 % {draw.randrange(3, 8)} != 0

def test_healthy_{n}():
    assert time.time_ns() // 1_000_000 > 0
"""


def _random_rate(n: int, draw: random.Random) -> str:
    rate = draw.choice((0.6, 0.7, 0.8, 0.9))
    return f"""
def test_flaky_{n}():
    assert random.random() < {rate}

def test_healthy_{n}():
    assert random.Random({n}).random() < 1
"""


def _random_set(n: int, draw: random.Random) -> str:
    words = [f"w{draw.randrange(10_000)}" for _ in range(4)]
    said = [sys.executable, "-c", f"print(list(set({words!r})))"]
    order = subprocess.run(said, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True).stdout.strip()
    return f"""
def test_flaky_{n}():
    assert list(set({words!r})) == {order}

def test_healthy_{n}():
    assert sorted(set({words!r})) == sorted({order})
"""


def _random_uuid(n: int, draw: random.Random) -> str:
    bad = "".join(sorted(draw.sample("0123456789abcdef", draw.randrange(2, 6))))
    return f"""
def test_flaky_{n}():
    assert uuid.uuid4().hex[0] not in "{bad}"

def test_healthy_{n}():
    assert len(uuid.uuid4().hex) == 32
"""


def _random_shuffle(n: int, draw: random.Random) -> str:
    return f"""
def test_flaky_{n}():
    cards = list(range(3))
    random.shuffle(cards)
    assert cards != {draw.sample(range(3), 3)}

def test_healthy_{n}():
    cards = list(range(3))
    random.shuffle(cards)
    assert sorted(cards) == [0, 1, 2]
"""


def _state_leftover(n: int, draw: random.Random) -> str:
    place = draw.choice((f'pathlib.Path(tempfile.gettempdir()) / "shop-{n}"', f'pathlib.Path("shop-{n}.out")'))
    return f"""
def test_flaky_{n}():
    place = {place}
    assert not place.exists()
    place.write_text("x")

def test_healthy_{n}(tmp_path):
    place = tmp_path / "shop"
    assert not place.exists()
    place.write_text("x")
"""


def _state_database(n: int, draw: random.Random) -> str:
    rows = draw.randrange(1, 5)
    body = """
    connection = sqlite3.connect({where})
    connection.execute("CREATE TABLE IF NOT EXISTS items (name TEXT)")
    connection.executemany("INSERT INTO items VALUES (?)", [("x",)] * {rows})
    connection.commit()
    assert connection.execute("SELECT count(*) FROM items").fetchone() == ({rows},)
    connection.close()
"""
    there, here = body.format(where=f'"shop-{n}.db"', rows=rows), body.format(where='tmp_path / "shop.db"', rows=rows)
    return f"\ndef test_flaky_{n}():{there}\ndef test_healthy_{n}(tmp_path):{here}"


def _state_port(n: int, draw: random.Random) -> str:
    port = 20_000 + 40 * n + draw.randrange(40)
    return f"""
def test_flaky_{n}():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", {port}))
        taken.listen()
        time.sleep(0.{draw.randrange(1, 4)})

def test_healthy_{n}():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
"""


def _state_lock(n: int, draw: random.Random) -> str:
    return f"""
def test_flaky_{n}():
    place = pathlib.Path(tempfile.gettempdir()) / "lock-{n}"
    os.close(os.open(place, os.O_CREAT | os.O_EXCL))
    time.sleep(0.{draw.randrange(1, 4)})
    place.unlink()

def test_healthy_{n}(tmp_path):
    place = tmp_path / "lock"
    os.close(os.open(place, os.O_CREAT | os.O_EXCL))
    place.unlink()
"""


def _load_budget(n: int, draw: random.Random) -> str:
    millis, times = draw.randrange(4, 16), draw.choice((2, 3))
    work = f"""
    began, turns = time.perf_counter(), 0
    spent = time.process_time()
    while time.process_time() - spent < {millis / 1000}:
        turns += 1
"""
    return f"""
def test_flaky_{n}():{work}    assert time.perf_counter() - began < {millis * times / 1000}

def test_healthy_{n}():{work}    assert turns and time.perf_counter() - began < 60
"""


def _load_thread(n: int, draw: random.Random) -> str:
    work = draw.randrange(3, 9)
    body = """
    done = threading.Event()
    def work():
        spent = time.process_time()
        while time.process_time() - spent < {work}:
            pass
        done.set()
    threading.Thread(target=work, daemon=True).start()
    assert done.wait({patience})
"""
    flaky, healthy = body.format(work=work / 1000, patience=3 * work / 1000), body.format(work=work / 1000, patience=60)
    return f"\ndef test_flaky_{n}():{flaky}\ndef test_healthy_{n}():{healthy}"


def _load_deadline(n: int, draw: random.Random) -> str:
    work = draw.randrange(4, 12)
    body = """
    async def answer():
        for _ in range({work}):
            spent = time.process_time()
            while time.process_time() - spent < 0.001:
                pass
            await asyncio.sleep(0)
        return 1
    async def ask():
        return await asyncio.wait_for(answer(), {patience})
    assert asyncio.run(ask()) == 1
"""
    flaky, healthy = body.format(work=work, patience=2.5 * work / 1000), body.format(work=work, patience=60)
    return f"\ndef test_flaky_{n}():{flaky}\ndef test_healthy_{n}():{healthy}"


TEMPLATES: Mapping[str, tuple[Template, ...]] = {
    "order": (_order_setter, _order_victim, _order_counter),
    "time": (_time_zone, _time_expiry, _time_of_day, _time_weekday, _time_second),
    "randomness": (_random_rate, _random_set, _random_uuid, _random_shuffle),
    "shared state": (_state_leftover, _state_database, _state_port, _state_lock),
    "load": (_load_budget, _load_thread, _load_deadline),
}
"""Kind of flakiness -> templates."""


def module(kind: str, numbers: range, seed: int) -> str:
    """A test module with one flaky test of this kind for each number, and its twin."""
    templates = TEMPLATES[kind]
    pieces = [templates[number % len(templates)](number, random.Random(f"{seed}-{kind}-{number}")) for number in numbers]
    return HEAD + "".join(pieces)
