"""What no policy is shown, whichever the harness: by a setting, by a .gitignore, by a name."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.direct.context import first_prompt
from suture_agent.direct.localise import suspects
from suture_agent.direct.module_map import mended_imports
from suture_agent.direct.surroundings import workspace_files
from suture_agent.direct.trace import Trace
from suture_agent.harness import harness_for
from suture_agent.meter import Meter
from suture_agent.privacy import Privacy, ShownSnapshot, shown, whole
from suture_agent.problem import Problem
from suture_agent.repair import repair
from suture_sandbox.findings import Finding, Place
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target

PRICES = "RATE = 17\n\n\ndef price(item):\n    return item * RATE\n"
CART = "from prices import price\n\n\ndef total(items):\n    return sum(price(item) for item in items)\n"
TEST = "from cart import total\n\n\ndef test_total():\n    assert total([1]) == 18\n"
FILES = {"prices.py": PRICES, "cart.py": CART, "tests/test_cart.py": TEST, ".env": "TOKEN=x", "build/made.py": PRICES}


def at(path: str, line: int) -> Place:
    return Place(path, Range(Position(line, 0), Position(line, 1)))


@pytest.fixture
def problem(tmp_path) -> Problem:
    """A failing test whose innermost frame is in prices.py."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / ".gitignore").write_text("build/\n")
    place = at("tests/test_cart.py", 4)
    finding = Finding(
        check="tests",
        path=place.path,
        range=place.range,
        code="AssertionError",
        message="assert 17 == 18",
        test="tests/test_cart.py::test_total",
        related=(at("cart.py", 4), at("prices.py", 4)),
    )
    target = Target(check="tests", findings=(finding,))
    return Problem(id="0" * 12, snapshot=Snapshot(tmp_path), target=target, before=())


def test_reasons(problem):
    privacy = Privacy(problem.snapshot.root, ["prices.py"])
    assert privacy.reason("prices.py") == privacy.withheld("prices.py") == "is named by privacy.exclude"
    assert privacy.reason("build/made.py") == "is ignored by git"
    assert (privacy.reason(".env"), privacy.withheld(".env")) == ("may hold secrets", "")
    assert privacy.reason("cart.py") == ""


def test_what_is_not_shown_is_not_there_and_edits_do_not_bring_it_back(problem):
    snapshot = shown(problem, ["prices.py"]).snapshot.with_edits({"prices.py": b"typed", "cart.py": b"typed"})
    assert isinstance(snapshot, ShownSnapshot)
    for path in ("prices.py", "build/made.py", ".env"):
        assert (snapshot.read(path), snapshot.read_text(path), snapshot.exists(path)) == (None, None, False)
    assert snapshot.read("cart.py") == b"typed"
    assert whole(snapshot) == Snapshot(snapshot.root, {"prices.py": b"typed", "cart.py": b"typed"})


@pytest.mark.parametrize("excluded", [(), ("prices.py",)])
def test_the_direct_harness_never_puts_it_into_a_prompt(problem, excluded):
    seen = shown(problem, excluded)
    found = suspects(seen, seen.snapshot, Trace())
    assert found
    assert ("prices.py" in {suspect.unit.path for suspect in found}) == (not excluded)
    prompts = "".join(first_prompt(seen.findings, suspect, seen.snapshot) for suspect in found)
    assert ("RATE" in prompts) == (not excluded)
    assert "build/made.py" not in set(workspace_files(seen.snapshot)) or seen.snapshot.read("build/made.py") is None


def test_imports_are_not_mended_by_what_is_not_shown(problem):
    (problem.snapshot.root / "lib").mkdir()
    (problem.snapshot.root / "prices.py").rename(problem.snapshot.root / "lib" / "prices.py")
    finding = msgspec.structs.replace(problem.findings[0], message="No module named 'prices'")
    failing = msgspec.structs.replace(problem, target=Target(check="tests", findings=(finding,)))
    assert mended_imports(shown(failing, ())).paths == ("cart.py",)
    assert mended_imports(shown(failing, ("lib",))) is None


async def test_attempts_of_an_episode_see_all_that_the_environment_lets_them(snapshot_of, problem_of, play, sandbox, harness, told):
    (problem_root := snapshot_of({"a": "needs one.py right"}).root).joinpath(".gitignore").write_text("one.py\n")
    problem = shown(await problem_of(Snapshot(problem_root)), ())
    meter = Meter(problem.id, play.policy(), sandbox, harness, told)
    assert problem.snapshot.read("one.py") is None
    (problem_root / "one.py").write_text("x = right\n")
    assert (await meter.check(sandbox.check_named("tests"), problem.snapshot)).status == "passed"


@pytest.mark.parametrize("line", ["one.py\n", "*\n!tests.txt\n"])
async def test_a_repair_does_not_touch_what_git_ignores(snapshot_of, problem_of, play, sandbox, harness, told, line):
    root = snapshot_of({"a": "needs one.py right"}).root
    (root / ".gitignore").write_text(line)
    policy = play.policy(play.edit("one.py", "right"), play.submit(repeat=0))
    budgets = msgspec.structs.replace(harness.budgets, steps=3)
    done = await repair(await problem_of(Snapshot(root)), policy, sandbox, msgspec.structs.replace(harness, budgets=budgets), told)
    assert (done.outcome, done.patch.edits) == ("unfixed", ())
    assert "one.py is ignored by git, and cannot be edited" in policy.requests[-1].messages[3].content


def test_identities_without_an_exclusion_are_what_they_were(play):
    harness = harness_for(play.policy().capability)
    assert b"excluded" not in msgspec.json.encode(harness)
    assert msgspec.structs.replace(harness, excluded=("a",)).identity != harness.identity
