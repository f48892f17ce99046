"""The tools: what each gives for good and for bad arguments, and that nothing a policy writes raises or reaches the disk."""

from __future__ import annotations

import asyncio
import json
import sys

import msgspec
import pytest

from suture_agent.errors import Submitted
from suture_agent.meter import Meter
from suture_agent.policies import ToolCall
from suture_agent.problem import Problem
from suture_agent.recall import PastFix, no_recall
from suture_agent.tools import SCHEMAS, TOOLS, call_tool
from suture_agent.tools.bench import Workbench
from suture_sandbox.environment import Environment, Limits
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target


class Shell:
    """A pretend shell: a line is a command of its own, and every command line that reached it is kept."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def __call__(self, view, argv) -> int:
        assert argv[0] == "-c"
        self.given.append(argv[1])
        for line in argv[1].splitlines():
            word, _, rest = line.partition(" ")
            if word == "exit":
                return int(rest)
            await getattr(self, word)(view, rest)
        return 0

    async def write(self, view, rest) -> None:
        path, _, text = rest.partition(" ")
        view.write(path, text.encode())

    async def remove(self, view, path) -> None:
        view.remove(path)

    async def show(self, view, path) -> None:
        view.print(view.read(path))

    async def say(self, view, text) -> None:
        view.print(text)

    async def complain(self, view, text) -> None:
        view.print(text, error=True)

    async def garbage(self, view, rest) -> None:
        view.print(b"\xff\xfe!")

    async def spew(self, view, count) -> None:
        for _ in range(int(count)):
            view.print("x" * 1023 + "\n")

    async def hang(self, view, rest) -> None:
        await asyncio.Event().wait()

    async def burn(self, view, rest) -> None:
        raise SandboxFailed("the machine is on fire")


async def search(view, argv) -> int:
    """A pretend interpreter, for the search that runs in the sandbox."""
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await process.communicate(view.stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    view.print(out)
    return process.returncode


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "shop"
    (root / "src").mkdir(parents=True)
    (root / "tests.txt").write_text("a: needs one.py right\nb: pass\n")
    (root / "one.py").write_text("x = wrong\n")
    (root / "src" / "cart.py").write_text("def total(prices):\n    return 0\n\n\ndef tax(prices):\n    return 0\n")
    (tmp_path / "outside.txt").write_text("outside\n")
    return root


class Desk:
    """A workbench, and its tools by name."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    async def __call__(self, tool: str, **arguments) -> str:
        return await self.raw(tool, json.dumps(arguments))

    async def raw(self, tool: str, arguments: str) -> str:
        return await call_tool(self.bench, ToolCall(id="1", name=tool, arguments=arguments))

    @property
    def edits(self) -> dict[str, bytes | None]:
        return {edit.path: edit.after for edit in self.bench.patch.edits}


@pytest.fixture
def desk_of(root, shell, tools, sandbox, harness, play, told):
    def make(recall=no_recall, *, overlay=None, excluded=msgspec.UNSET, **budgets: int) -> Desk:
        backend = MemoryBackend({"testtool": tools.test, "linttool": tools.lint, "sh": shell, "python": search})
        environment = Environment(sandbox.environment.fields, sandbox.environment.runtime, Limits(output_mib=1))
        chosen = msgspec.structs.replace(harness, budgets=msgspec.structs.replace(harness.budgets, **budgets), excluded=excluded)
        meter = Meter("p", play.policy(), Sandbox(backend, environment), chosen, told)
        snapshot = Snapshot(root, overlay or {})
        problem = Problem(id="0" * 12, snapshot=snapshot, target=Target(check="tests", findings=()), before=())
        return Desk(Workbench(problem, meter, recall))

    return make


@pytest.fixture
def desk(desk_of) -> Desk:
    return desk_of()


async def test_files_are_found_by_path_and_by_name(desk):
    assert await desk("find_files", pattern="*.py") == "one.py\nsrc/cart.py"
    assert await desk("find_files", pattern="cart.py") == "src/cart.py"
    assert await desk("find_files", pattern="src/*") == "src/cart.py"
    assert await desk("find_files", pattern="*.rs") == "no file matches '*.rs'"
    assert await desk("find_files", pattern="[") == "no file matches '['"


async def test_caches_environments_and_links_are_not_files(desk, root, tmp_path):
    for folder in (".git", ".venv", "__pycache__", "node_modules", ".suture", "own-venv"):
        (root / folder).mkdir()
        (root / folder / "found.py").write_text("x\n")
    (root / "own-venv" / "pyvenv.cfg").write_text("")
    (root / "found.pyc").write_bytes(b"")
    (root / "found.py").symlink_to(tmp_path / "outside.txt")
    (root / "found").symlink_to(tmp_path)
    assert await desk("find_files", pattern="found*") == "no file matches 'found*'"
    assert await desk("find_text", text="outside") == "'outside' was not found"


async def test_long_lists_are_cut_and_say_how_much_is_missing(desk, root):
    for number in range(130):
        (root / f"n{number:03}.txt").write_text("needle\n")
    found = (await desk("find_files", pattern="n*.txt")).splitlines()
    assert found[:2] == ["n000.txt", "n001.txt"]
    assert found[100:] == ["... and 30 more; use a narrower pattern"]
    hits = (await desk("find_text", text="needle")).splitlines()
    assert hits[0] == "n000.txt:1: needle"
    assert hits[100:] == ["... there may be more; narrow the search"]


async def test_text_is_found_literally_or_by_expression(desk, root):
    (root / "dots.py").write_text("a.b\naxb\n")
    assert await desk("find_text", text="a.b") == "dots.py:1: a.b"
    assert await desk("find_text", text="a.b", regex=True) == "dots.py:1: a.b\ndots.py:2: axb"
    assert (
        await desk("find_text", text="^def t", regex=True, pattern="src/*")
        == "src/cart.py:1: def total(prices):\nsrc/cart.py:5: def tax(prices):"
    )
    assert await desk("find_text", text="def", pattern="*.txt") == "'def' was not found"
    assert (
        await desk("find_text", text="(", regex=True)
        == "error: '(' is not a regular expression: missing ), unterminated subpattern at position 0"
    )


async def test_expression_that_never_ends_is_stopped(desk_of, root):
    (root / "evil.txt").write_text("a" * 60 + "\n")
    said = await asyncio.wait_for(desk_of(tool_seconds=1)("find_text", text="(a+)+$b", regex=True), 20)
    assert said.startswith("error: '(a+)+$b' cannot be searched for: it did not end within 1 s")


async def test_lines_are_numbered_as_tools_number_them(desk, root):
    (root / "feed.py").write_bytes("a = 1\x0c\n\u2028b = 2\r\nc = 3\r\n".encode())
    assert await desk("read_file", path="feed.py") == "    1  a = 1\x0c\n    2  \u2028b = 2\n    3  c = 3"
    assert await desk("find_text", text="c = 3") == "feed.py:3: c = 3"


async def test_part_of_a_file_is_read(desk, root):
    (root / "long.py").write_text("".join(f"line {number}\n" for number in range(1, 1001)))
    assert await desk("read_file", path="long.py", start=2, end=3) == "    2  line 2\n    3  line 3\n(1000 lines in all)"
    assert await desk("read_file", path="long.py", start=999) == "  999  line 999\n 1000  line 1000"
    assert await desk("read_file", path="long.py", start=-5, end=1) == "    1  line 1\n(1000 lines in all)"
    for start, end in ((1001, 2000), (5, 4)):
        assert await desk("read_file", path="long.py", start=start, end=end) == "long.py has 1000 lines"
    assert await desk("read_file", path="long.py", end=3000)
    (root / "short.py").write_text("".join(f"{number}\n" for number in range(500)))
    assert (await desk("read_file", path="short.py")).splitlines()[399:] == ["  400  399", "(500 lines in all)"]
    (root / "none.py").write_text("")
    assert await desk("read_file", path="none.py") == "none.py has 0 lines"


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "link.txt", "folder/outside.txt", ".git/config", "src", "", "one.py\0", "one.py/x", "x" * 300]
)
@pytest.mark.parametrize("search", ["", "o"])
async def test_nothing_but_the_workspace_is_read_or_edited(desk, root, tmp_path, path, search):
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "folder").symlink_to(tmp_path)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("[core]\n")
    assert (await desk("read_file", path=path)).startswith("error: there is no file ")
    assert (await desk("edit_file", path=path, search=search, replace="mine")).startswith("error: ")
    assert desk.edits == {}
    assert (tmp_path / "outside.txt").read_text() == "outside\n"


async def test_file_that_is_missing_is_answered_with_the_nearest_names(desk):
    assert await desk("read_file", path="src/card.py") == "error: there is no file src/card.py; did you mean src/cart.py?"
    assert (
        await desk("edit_file", path="src/card.py", search="a", replace="b")
        == "error: there is no file src/card.py; did you mean src/cart.py?"
    )
    assert await desk("read_file", path="zzz") == "error: there is no file zzz"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 1_000_001])
async def test_binary_and_huge_files_are_not_shown(desk, root, content):
    (root / "big.bin").write_bytes(content)
    for said in (await desk("read_file", path="big.bin"), await desk("edit_file", path="big.bin", search="x", replace="y")):
        assert said == "error: big.bin is not a text file of less than 1000000 bytes"
    assert await desk("find_text", text="x" * 10) == "'xxxxxxxxxx' was not found"


async def test_secrets_of_the_workspace_are_not_shown(desk, root):
    (root / ".env").write_text("TOKEN=hunter2\n")
    assert await desk("read_file", path=".env") == "error: .env may hold secrets and is not shown"
    assert await desk("find_text", text="hunter") == "'hunter' was not found"
    assert "hunter2" not in await desk("edit_file", path=".env", search="TOKEN", replace="KEY")
    assert await desk("run_shell", command="show .env") == "(no output)\n(exit code 0)"


@pytest.fixture
def closed(desk_of, root) -> Desk:
    """A desk at which `src/cart.py` is excluded and `build` is ignored by git."""
    (root / "build").mkdir()
    (root / "build" / "made.py").write_text("def total():\n    return 1\n")
    (root / ".gitignore").write_text("build/\n")
    return desk_of(excluded=("src/cart.py",))


async def test_excluded_and_ignored_files_are_left_out_and_it_says_why(closed):
    why = "privacy.exclude names them, or git ignores them"
    assert await closed("find_files", pattern="*.py") == f"one.py\n(2 files are not listed: {why})"
    assert await closed("find_files", pattern="cart*") == f"no file matches 'cart*'\n(1 file is not listed: {why})"
    assert await closed("find_files", pattern="*.txt") == "tests.txt"
    assert await closed("find_text", text="def total") == f"'def total' was not found\n(2 files are not searched: {why})"
    assert "return 0" not in await closed("find_text", text="return .", regex=True, pattern="*.py")


@pytest.mark.parametrize(("path", "why"), [("src/cart.py", "is named by privacy.exclude"), ("build/made.py", "is ignored by git")])
async def test_excluded_and_ignored_files_are_neither_read_nor_edited(closed, path, why):
    assert await closed("read_file", path=path) == f"error: {path} {why} and is not shown"
    assert await closed("edit_file", path=path, search="total", replace="x") == f"error: {path} {why}, and cannot be edited"
    new = f"{path.rpartition('/')[0]}/new.py" if path.startswith("build") else path
    assert await closed("edit_file", path=new, search="", replace="x") == f"error: {new} {why}, and cannot be edited"
    assert closed.edits == {}


async def test_what_a_command_does_to_them_is_not_kept(closed):
    said = await closed("run_shell", command="write build/made.py x\nwrite one.py y")
    assert said.endswith("kept your change of one.py\n(1 file is not kept: privacy.exclude names them, or git ignores them)")
    assert closed.edits == {"one.py": b"y"}


async def test_a_policy_cannot_have_them_shown_by_an_edit(closed):
    await closed("edit_file", path=".gitignore", search="build/", replace="")
    assert "is ignored by git" in await closed("read_file", path="build/made.py")


async def test_past_fixes_of_excluded_files_are_not_recalled(desk_of):
    async def remember(query: str, limit: int = 3) -> tuple[PastFix, ...]:
        told = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-1\n+2\n"
        return tuple(PastFix(failure=path, diff=told.format(path)) for path in ("src/cart.py", "one.py", ".env"))

    desk = desk_of(remember, excluded=("cart.py",))
    assert (await desk("recall", query="a")).startswith("one.py\nwas fixed by:\ndiff --git a/one.py")
    assert "cart" not in await desk("recall", query="a")


async def test_edit_is_made_shown_and_seen_by_every_other_tool(desk, root):
    said = await desk("edit_file", path="one.py", search="wrong", replace="right")
    assert said.startswith("edited one.py\ndiff --git a/one.py b/one.py\n")
    assert said.endswith("-x = wrong\n+x = right\n")
    assert await desk("read_file", path="one.py") == "    1  x = right"
    assert await desk("find_text", text="right", pattern="*.py") == "one.py:1: x = right"
    assert await desk("run_shell", command="show one.py") == "x = right\n(exit code 0)"
    assert (await desk("run_check", name="tests")).splitlines()[0] == "tests: passed"
    assert (root / "one.py").read_text() == "x = wrong\n"


async def test_text_to_replace_must_occur_once(desk):
    assert (
        await desk("edit_file", path="src/cart.py", search="return 0", replace="")
        == "error: `search` occurs 2 times in src/cart.py; give more lines around it"
    )
    said = await desk("edit_file", path="src/cart.py", search="def total(price):\n    return 1", replace="")
    assert said == "error: `search` does not occur in src/cart.py, white space included; the nearest line is: def total(prices):"
    assert (
        await desk("edit_file", path="src/cart.py", search="~~~", replace="")
        == "error: `search` does not occur in src/cart.py, white space included"
    )
    assert desk.edits == {}


async def test_line_ends_and_byte_order_mark_are_kept(desk, root):
    (root / "dos.py").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\nc = 3\r\n")
    await desk("edit_file", path="dos.py", search="a = 1\nb = 2\n", replace="a = 1\nb = 3\nd = 4\n")
    assert desk.edits == {"dos.py": b"\xef\xbb\xbfa = 1\r\nb = 3\r\nd = 4\r\nc = 3\r\n"}


async def test_new_file_is_created_only_where_there_is_none(desk):
    assert await desk("edit_file", path="new/deep.py", search="", replace="x = 1\n") == "created new/deep.py"
    assert (
        await desk("edit_file", path="one.py", search="", replace="x = 1\n") == "error: one.py exists; give the text to replace in `search`"
    )
    assert (
        await desk("edit_file", path="new/deep.py", search="", replace="")
        == "error: new/deep.py exists; give the text to replace in `search`"
    )
    assert await desk("edit_file", path="new", search="", replace="") == "error: new cannot be both a file and a folder"
    assert (
        await desk("edit_file", path="new/deep.py/more", search="", replace="") == "error: new/deep.py cannot be both a file and a folder"
    )
    assert desk.edits == {"new/deep.py": b"x = 1\n"}
    assert await desk("find_files", pattern="new*") == "new/deep.py"


async def test_edits_of_what_a_person_has_not_saved_are_kept_apart(desk_of):
    desk = desk_of(overlay={"one.py": b"x = typed\n", "tests.txt": None})
    assert await desk("read_file", path="one.py") == "    1  x = typed"
    assert "tests.txt" not in await desk("find_files", pattern="*")
    await desk("edit_file", path="one.py", search="typed", replace="right")
    (edit,) = desk.bench.patch.edits
    assert (edit.before, edit.after) == (b"x = typed\n", b"x = right\n")


async def test_check_is_described(desk, root):
    said = await desk("run_check", name="tests")
    assert said == "tests: failed\ntests.txt:1: tests.txt::a: E   assert 1 == 2"
    (root / "tests.txt").write_text("".join(f"t{number}: fail\n" for number in range(13)))
    assert (await desk("run_check", name="tests")).splitlines()[11:] == ["... and 3 more"]
    assert (await desk("run_check", name="tests", tests=["tests.txt::t3"])).count("assert 1 == 2") == 1


async def test_check_that_cannot_be_run_so_is_refused(desk, tools):
    assert await desk("run_check", name="test") == "error: there is no check named 'test'. checks of this workspace: lint, tests"
    assert await desk("run_check", name="lint", tests=["a"]) == "error: check lint cannot run single tests."
    assert await desk("run_check", name="tests", tests=["a\0b"]) == "error: a command cannot hold a null character"
    assert tools.runs == []


async def test_command_reaches_the_shell_whole(desk, shell):
    command = "say " + "é'\"$`\\ " * 1000 + "\nexit 3"
    said = await desk("run_shell", command=command)
    assert shell.given == [command]
    assert said.endswith("\n(exit code 3)")


@pytest.mark.parametrize("command", ["say a\0b", "x" * 200_000])
async def test_command_that_no_program_can_be_given_is_refused(desk, shell, command):
    assert (await desk("run_shell", command=command)).startswith("error: ")
    assert shell.given == []


async def test_both_streams_are_shown_and_bytes_that_are_no_text_survive(desk):
    assert await desk("run_shell", command="say out\ncomplain err") == "outerr\n(exit code 0)"
    assert await desk("run_shell", command="garbage") == "��!\n(exit code 0)"
    assert await desk("run_shell", command="exit 0") == "(no output)\n(exit code 0)"


async def test_long_output_is_cut_in_the_middle(desk_of):
    said = await desk_of(observation=600)("run_shell", command="say first\nspew 100\nsay last")
    assert len(said) < 700
    assert said.startswith("first")
    assert "characters left out" in said
    assert said.endswith("last\n(exit code 0)")
    assert len(await desk_of(observation=600)("read_file", path="x" * 5000)) < 700


async def test_command_that_prints_without_end_or_never_ends_is_stopped(desk_of):
    assert (await desk_of()("run_shell", command="spew 20000")).endswith("(stopped: output)\nits changes are not kept")
    said = await asyncio.wait_for(desk_of(tool_seconds=1)("run_shell", command="say before\nhang"), 10)
    assert said == "before\n(stopped: timeout)\nits changes are not kept"


async def test_what_a_command_changes_becomes_an_edit(desk, root):
    said = await desk("run_shell", command="write made.py x = 1\nwrite one.py x = right\nremove tests.txt")
    assert said == "(no output)\n(exit code 0)\nkept your change of made.py\nkept your change of one.py\nkept your change of tests.txt"
    assert desk.edits == {"made.py": b"x = 1", "one.py": b"x = right", "tests.txt": None}
    assert await desk("read_file", path="tests.txt") == "error: there is no file tests.txt"
    assert await desk("run_shell", command="write tests.txt a: pass")
    await desk("edit_file", path="one.py", search="right", replace="righter")
    assert desk.edits["one.py"] == b"x = righter"
    assert sorted(path.name for path in root.iterdir()) == ["one.py", "src", "tests.txt"]


async def test_what_a_command_may_not_change_is_not_kept(desk):
    wrote = ["write .git/hooks/pre-commit x", "write .suture/patches/x y", "write src/__pycache__/a.py z", "write .venv/bin/python w"]
    assert await desk("run_shell", command="\n".join(wrote)) == "(no output)\n(exit code 0)"
    assert desk.edits == {}


async def test_folder_may_become_a_file_and_a_file_a_folder(desk):
    await desk("edit_file", path="new/deep.py", search="", replace="x")
    await desk("run_shell", command="remove new/deep.py\nwrite new y")
    assert desk.edits == {"new": b"y"}
    await desk("run_shell", command="remove new\nwrite new/other.py z")
    assert desk.edits == {"new/other.py": b"z"}


async def test_machine_that_fails_is_no_answer_for_the_policy(desk):
    with pytest.raises(SandboxFailed):
        await desk("run_shell", command="burn")


async def test_past_fixes_are_recalled(desk_of, desk):
    async def remember(query: str, limit: int = 3) -> tuple[PastFix, ...]:
        return (PastFix(failure=f"{query} was red", diff="+ green"), PastFix(failure="so was this", diff="+ blue"))

    assert await desk_of(remember)("recall", query="a") == "a was red\nwas fixed by:\n+ green\n\nso was this\nwas fixed by:\n+ blue"
    assert await desk("recall", query="a") == "nothing similar was fixed before"


async def test_only_edits_that_change_something_can_be_submitted(desk):
    assert await desk("submit") == "error: you have not edited anything yet"
    await desk("edit_file", path="one.py", search="wrong", replace="right")
    await desk("edit_file", path="one.py", search="right", replace="wrong")
    assert await desk("submit") == "error: you have not edited anything yet"
    await desk("edit_file", path="one.py", search="wrong", replace="right")
    with pytest.raises(Submitted):
        await desk("submit")


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("read_file", "", "Object missing required field `path`"),
        ("read_file", "{", "truncated"),
        ("read_file", '{"path": "a"} trailing', "malformed"),
        ("read_file", "[]", "Expected `object`, got `array`"),
        ("read_file", "null", "Expected `object`, got `null`"),
        ("read_file", '{"path": 1}', "Expected `str`, got `int` - at `$.path`"),
        ("read_file", '{"path": "one.py", "end": "3"}', "Expected `int | null`, got `str` - at `$.end`"),
        ("read_file", '{"path": "one.py", "line": 3}', "unknown field `line`"),
        ("find_text", '{"text": "a", "regex": "yes"}', "Expected `bool`"),
        ("edit_file", '{"path": "one.py", "search": "wrong"}', "Object missing required field `replace`"),
        ("edit_file", '{"path": "one.py", "search": "", "replace": "\ud800"}', "surrogates not allowed"),
        ("run_check", '{"name": "tests", "tests": "a"}', "Expected `array`, got `str`"),
        ("submit", '{"message": "done"}', "unknown field `message`"),
    ],
)
async def test_malformed_call_is_answered_with_what_was_expected(desk, tool, arguments, why):
    said = await desk.raw(tool, arguments)
    assert said.startswith(f"error: the arguments of {tool} do not fit: ")
    assert why in said
    expected = next(schema.parameters for schema in SCHEMAS if schema.name == tool)
    assert json.loads(said.rsplit("Expected ", 1)[1]) == expected
    assert desk.edits == {}


async def test_unknown_tool_is_answered_with_the_nearest_or_with_all(desk):
    assert await desk("readfile", path="one.py") == "error: there is no tool 'readfile'; did you mean read_file?"
    assert await desk("browse") == f"error: there is no tool 'browse'; there are {', '.join(TOOLS)}"
    assert (await desk("")).startswith("error: there is no tool ''")


def test_schemas_tell_what_is_needed():
    schemas = {schema.name: schema for schema in SCHEMAS}
    assert list(schemas) == list(TOOLS)
    assert all(schema.description and "\n" not in schema.description for schema in SCHEMAS)
    assert schemas["edit_file"].parameters["required"] == ["path", "search", "replace"]
    assert schemas["read_file"].parameters["required"] == ["path"]
    assert schemas["read_file"].parameters["properties"]["start"] == {"type": "integer", "default": 1}
    assert schemas["submit"].parameters == {"type": "object", "properties": {}, "required": []}
    assert "exactly once" in schemas["edit_file"].description
