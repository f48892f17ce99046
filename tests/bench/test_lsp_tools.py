"""What the benches of the language server are made of: documents, client, workspaces, figures, traces; and a short soak of the server."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.text import split_lines

HERE = Path(__file__).parent
RECORDER = HERE.parents[1] / "scripts" / "record_client.py"
TEXT = st.text(alphabet="a \t\n\r\f\u2028\u00df\u0301\u4e2d\U0001f600", max_size=60)
ENCODINGS = ("utf-8", "utf-16", "utf-32")

RUDE = """
import json, sys
def read():
    head = sys.stdin.buffer.readline()
    sys.stdin.buffer.readline()
    return json.loads(sys.stdin.buffer.read(int(head.split(b":")[1]))) if head else sys.exit(3)
def write(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def rude(tmp_path, lsp):
    """A client of a server whose behaviour is a piece of Python with `read` and `write`."""

    async def start(body):
        program = tmp_path / "rude.py"
        program.write_text(RUDE + body)
        return await lsp.lsp_client.spawn([sys.executable, str(program)], environ=os.environ, folder=tmp_path)

    return start


@given(text=TEXT, at=st.integers(0, 60), encoding=st.sampled_from(ENCODINGS))
def test_positions_lead_back_to_their_offsets(lsp, text, at, encoding):
    document = lsp.lsp_documents.Document("file:///a", text, encoding)
    at = min(at, len(text))
    between = text[at - 1 : at + 1] == "\r\n"
    position = document.position(at)
    assert document.offset(position) == (at - 1 if between else at)
    assert position["line"] < max(1, len(split_lines(text)) + 1)


@given(text=TEXT, encoding=st.sampled_from(ENCODINGS), seed=st.integers(0, 1000))
def test_an_edit_replaces_what_is_between_its_places(lsp, text, encoding, seed):
    rng, document = random.Random(seed), lsp.lsp_documents.Document("file:///a", text, encoding)
    start = rng.randint(0, len(text))
    end = rng.randint(start, len(text))
    mirror = lsp.lsp_documents.Document("file:///a", text, encoding)
    mirror.change(document.replace(start, end, "\U0001f600\r\n")["contentChanges"])
    real_start, real_end = (at - (text[at - 1 : at + 1] == "\r\n" and at > 0) for at in (start, end))
    assert mirror.text == document.text == text[:real_start] + "\U0001f600\r\n" + text[real_end:]
    assert document.version == 2


def test_columns_are_counted_in_the_agreed_units(lsp):
    at = {name: lsp.lsp_documents.Document("file:///a", "x\r\u00df\U0001f600y", name).position(4)["character"] for name in ENCODINGS}
    assert at == {"utf-8": 6, "utf-16": 3, "utf-32": 2}


def test_a_place_beyond_the_text_is_its_end(lsp):
    document = lsp.lsp_documents.Document("file:///a", "one\r\ntwo", "utf-16")
    assert document.offset({"line": 0, "character": 99}) == 3
    assert document.offset({"line": 9, "character": 0}) == 8
    document.edit(
        [
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}, "newText": "O"},
            {"range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 1}}, "newText": "T"},
        ]
    )
    assert document.text == "One\r\nTwo"


async def test_the_client_gets_along_with_a_server(lsp, tmp_path):
    command = [sys.executable, str(RECORDER), str(tmp_path / "out.json")]
    client = await lsp.lsp_client.spawn(command, environ=os.environ, folder=tmp_path)
    await client.initialize(lsp.lsp_client.recorded("neovim", tmp_path, {"offers": True}))
    with pytest.raises(lsp.lsp_client.LspError, match="only records"):
        await client.call("textDocument/hover", {})
    await client.ping()
    assert await client.stop() == 0
    assert (client.requests, client.unanswered, client.answered_twice, client.strange) == (4, {}, {}, [])
    assert json.loads((tmp_path / "out.json").read_text())["params"]["initializationOptions"] == {"offers": True}


async def test_the_client_notices_answers_that_should_not_be(lsp, rude):
    client = await rude("""
one, two = read(), read()
write(id=one["id"], result=1)
write(id=one["id"], result=2)
write(id=77, result=3)
write(id="progress", method="window/workDoneProgress/create", params={})
assert read() == {"jsonrpc": "2.0", "id": "progress", "result": None}
write(id="odd", method="odd/request", params={})
assert read()["error"]["code"] == -32601
write(method="$/progress", params={"token": 5, "value": {"kind": "begin", "title": "Fixing"}})
write(method="done")
""")
    first = client.ask("first")[1]
    second = client.ask("second")[1]
    assert await first == 1
    with pytest.raises(lsp.lsp_client.ServerGone):
        await second
    assert client.answered_twice == {1: "first"}
    assert client.unanswered == {2: "second"}
    assert [message["id"] for message in client.strange] == [77]
    assert client.working == {5: "Fixing"}
    assert client.notified["done"] == 1
    assert await client.stop() == 0


async def test_a_server_that_does_not_end_is_killed(lsp, rude):
    client = await rude("while True: read()")
    assert await client.stop(seconds=0.5) == -9


def test_repairs_are_found_however_a_code_action_has_them(lsp):
    argument = {"root": "/a", "problem": "p"}
    command = {"title": "t", "command": "suture.fix", "arguments": [argument]}
    for action in (command, {"title": "t", "command": command}, {"title": "t", "data": {**argument, "more": 1}}):
        assert lsp.lsp_suture.fix_argument(action) == argument
    assert lsp.lsp_suture.fix_argument({"title": "t", "edit": {}, "command": {"title": "t", "command": "suture.accepted"}}) is None


def test_limits_are_those_of_suture_alone(lsp):
    report = lsp.lsp_report
    slow = [report.Samples(program=name, what="didChange", unit="ms", values=(1.0,) * 98 + (9.0,) * 2) for name in report.COLOURS]
    assert report.missed(slow) == ["didChange: p99 9.0 ms, at most 5"]
    assert report.missed(slow[1:]) == []


def test_plots_are_drawn(lsp, tmp_path):
    report, sample = lsp.lsp_report, sample_of(lsp)
    few = report.Samples(program="suture", what="idle memory", unit="MB", values=(1.0, 2.0))
    many = report.Samples(program="suture", what="codeAction", unit="ms", values=tuple(range(1, 100)))
    report.write_plot([few, many], tmp_path / "lsp")
    report.write_soak([sample(0), sample(10)], tmp_path / "soak")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lsp.png", "lsp.svg", "soak.png", "soak.svg"]


def sample_of(lsp):
    """`sample(sent, **fields)`: what was seen after so many messages."""

    def sample(sent, **fields):
        names = [name for name in lsp.lsp_traces.Sample.__struct_fields__ if name != "sent"]
        return lsp.lsp_traces.Sample(sent=sent, **{name: fields.get(name, 10) for name in names})

    return sample


def test_what_grows_is_named(lsp):
    sample, grown = sample_of(lsp), lsp.soak_lsp.grown
    steady = [sample(sent) for sent in range(0, 20_001, 500)]
    assert grown(steady, [steady[2], steady[-1]]) == []
    assert grown(steady, [steady[2], sample(20_000, processes=11, server_files=13, worker_files=14)]) == [
        "grown: worker_files from 10 to 14",
        "grown: processes from 10 to 11",
    ]
    rising = [sample(sent, server_mb=50 + sent / 5000) for sent in range(0, 20_001, 500)]
    assert grown(rising, [rising[2], rising[-1]]) == ["grown: server_mb by 2.00 in 10,000 messages, at most 1"]
    assert grown(steady, []) == ["it did not live long enough to say whether anything grows"]


def test_one_step_is_no_growth(lsp):
    points = [(float(at), 50.0 if at < 80 else 60.0) for at in range(100)]
    assert lsp.lsp_traces.growth(points) == 0.0
    assert lsp.lsp_traces.growth([(float(at), 2.0 * at) for at in range(10)]) == 2.0
    assert lsp.lsp_traces.growth([]) == 0.0


def test_the_workspace_has_the_findings_that_it_says(lsp, tmp_path):
    root = lsp.lsp_workspace.make(tmp_path / "many", lsp.lsp_workspace.many(3, 5), checks=5, texts=True)
    said = [subprocess.run([sys.executable, "words.py", str(n)], cwd=root, capture_output=True, text=True, check=False) for n in range(5)]
    assert [(each.returncode, len(each.stdout.splitlines())) for each in said] == [(1, 6)] * 5
    texts = subprocess.run([sys.executable, "texts.py"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert len(texts.splitlines()) == 3


@pytest.mark.slow
def test_a_short_soak(tmp_path):
    command = [sys.executable, HERE / "soak_lsp.py", "--out", tmp_path, "--requests", "1000", "--pace", "200"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "soak.json").read_text())["wrong"] == []
