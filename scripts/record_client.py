"""Records what a language client says of itself: the `params` of a real `initialize`, for `tests/server/lsp/clients/`.

    python scripts/record_client.py tests/server/lsp/clients/neovim.json --note "Neovim 0.11.4, recorded"

is a language server over stdio: configure it in an editor as the server of any file, open such a file, and leave the editor. It answers
`initialize` and `shutdown`, refuses all else, and offers nothing. What only says where the recording was made is taken out: the
workspace becomes /workspace, and the process id null, so that no server waits for the death of somebody else's process.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

WORKSPACE = "/workspace"
ANSWERS = {"initialize": {"capabilities": {"textDocumentSync": 1}, "serverInfo": {"name": "record_client"}}, "shutdown": None}


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message; None at the end of the stream."""
    length = 0
    while line := stream.readline():
        name, _, value = line.decode("ascii").partition(":")
        if name.strip().lower() == "content-length":
            length = int(value)
        elif not line.strip():
            return json.loads(stream.read(length))
    return None


def write(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Send a message."""
    body = json.dumps(message).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def folders(params: dict[str, Any]) -> list[str]:
    """The workspace's folders and the user's home, longest first: what must not stay in a recording."""
    uris = [params.get("rootUri"), *(each["uri"] for each in params.get("workspaceFolders") or [])]
    named = [urlsplit(uri).path for uri in uris if uri]  # as it is quoted in the client's way, and as it is
    paths = {path.rstrip("/") for path in (*named, *map(unquote, named), params.get("rootPath") or "", str(Path.home()))}
    return sorted(paths - {"", "/"}, key=len, reverse=True)


def scrubbed(params: dict[str, Any]) -> dict[str, Any]:
    """The params without what belongs to the machine and the person that recorded them."""
    found = folders(params)

    def visit(value: Any) -> Any:  # noqa: ANN401  # any JSON
        if isinstance(value, dict):
            return {key: visit(each) for key, each in value.items()}
        if isinstance(value, list):
            return [visit(each) for each in value]
        if isinstance(value, str):
            for path in found:
                value = value.replace(path, WORKSPACE)
        return value

    kept = visit(params)
    for folder in kept.get("workspaceFolders") or []:
        folder["name"] = folder["name"] if folder["name"].startswith(WORKSPACE) else Path(WORKSPACE).name
    return kept | {"processId": None}


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    known = message["method"] in ANSWERS
    said = {"result": ANSWERS[message["method"]]} if known else {"error": {"code": -32601, "message": "this server only records"}}
    return {"jsonrpc": "2.0", "id": message["id"], **said}


def serve(requests: BinaryIO, answers: BinaryIO, out: Path, note: str) -> None:
    """Answer until the client says `exit` or is gone; write the recording as soon as it is there."""
    while (message := read(requests)) is not None and message.get("method") != "exit":
        if message.get("method") == "initialize":
            recording = {"note": note, "params": scrubbed(message["params"])}
            out.write_text(json.dumps(recording, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        if "method" in message and "id" in message:
            write(answers, answer(message))


def main() -> None:
    """Serve over stdio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--note", default="", help="which client it is, and how it was recorded")
    given = parser.parse_args()
    serve(sys.stdin.buffer, sys.stdout.buffer, given.out, given.note)


if __name__ == "__main__":
    main()
