"""tests/server/lsp/clients: what editors say of themselves, and the program that records it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol.types import InitializeParams
from pygls.protocol import default_converter

HERE = Path(__file__).parent / "clients"
SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "record_client.py"
NAMES = sorted(path.stem for path in HERE.glob("*.json"))
EDITORS = sorted(set(NAMES) - {"minimal"})


def load(name):
    return json.loads((HERE / f"{name}.json").read_text())


def test_clients_are_there():
    assert {"vscode", "neovim", "emacs", "helix", "helix-25.01", "minimal"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recording_is_what_the_protocol_says(name):
    recording = load(name)
    assert set(recording) == {"note", "params"}
    assert recording["note"]
    read = default_converter().structure(recording["params"], InitializeParams)
    assert read.process_id is None


@pytest.mark.parametrize("name", EDITORS)
def test_editors_can_do_what_a_repair_needs(name):
    params = load(name)["params"]
    capabilities = params["capabilities"]
    assert params["rootUri"] == "file:///workspace"
    assert capabilities["workspace"]["applyEdit"]
    assert "quickfix" in capabilities["textDocument"]["codeAction"]["codeActionLiteralSupport"]["codeActionKind"]["valueSet"]


def test_minimal_client_says_nothing():
    assert load("minimal")["params"]["capabilities"] == {}


def test_what_clients_differ_in_is_among_them():
    """A server has to serve each of these; a set of recordings in which all say the same would not show it."""
    every = {name: load(name)["params"]["capabilities"] for name in NAMES}

    def saying(*path):
        found = set()
        for name, value in every.items():
            for key in path:
                value = value.get(key) or {}
            if value:
                found.add(name)
        return found

    for path in (
        ("general", "positionEncodings"),
        ("textDocument", "diagnostic"),
        ("textDocument", "codeAction", "resolveSupport"),
        ("textDocument", "codeAction", "dataSupport"),
        ("window", "workDoneProgress"),
        ("workspace", "workspaceEdit", "documentChanges"),
        ("workspace", "workspaceEdit", "resourceOperations"),
        ("workspace", "configuration"),
    ):
        assert 0 < len(saying(*path)) < len(every), path


def frame(method, params=None, **more):
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
    return b"Content-Length: %d\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n" % len(body) + body


def test_recorder_takes_out_the_machine_and_answers_every_request(tmp_path):
    root, out = tmp_path / "some one's", tmp_path / "out.json"
    uri = root.as_uri()
    params = {
        "processId": 1,
        "rootPath": f"{root}/",
        "rootUri": uri,
        "workspaceFolders": [{"uri": uri, "name": "secret"}],
        "initializationOptions": {"at": [f"{root}/x", f"{Path.home()}/y"]},
        "capabilities": {"general": {"positionEncodings": ["utf-8"]}},
    }
    sent = [
        frame("initialize", params, id=1),
        frame("initialized", {}),
        frame("textDocument/hover", {}, id="b"),
        frame("shutdown", id=3),
        frame("exit"),
    ]
    command = [sys.executable, SCRIPT, out, "--note", "this test"]
    done = subprocess.run(command, input=b"".join(sent), capture_output=True, check=True, timeout=30)
    answers = [json.loads(body[: body.rindex(b"}") + 1]) for body in done.stdout.split(b"\r\n\r\n")[1:]]
    assert [(each["id"], "error" in each) for each in answers] == [(1, False), ("b", True), (3, False)]
    assert json.loads(out.read_text()) == {
        "note": "this test",
        "params": {
            "processId": None,
            "rootPath": "/workspace/",
            "rootUri": "file:///workspace",
            "workspaceFolders": [{"uri": "file:///workspace", "name": "workspace"}],
            "initializationOptions": {"at": ["/workspace/x", "/workspace/y"]},
            "capabilities": {"general": {"positionEncodings": ["utf-8"]}},
        },
    }
