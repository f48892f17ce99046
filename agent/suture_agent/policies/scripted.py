r"""`ScriptedPolicy`: plays a file. A policy like any other, for tests, throughput runs and demonstrations without a model.

A script is JSON lines, or TOML with the same keys (turns as `[[turn]]`). The first JSON line may hold the header: `name`, `context`,
`tools`, `prefill`, `thinking`, `parallel`. Every other line is a turn::

    {"match": "test_add", "text": "    return a + b\n"}
    {"pattern": "E\\d+", "calls": [{"name": "read_file", "arguments": {"path": "a.py"}}], "repeat": 3}
    {"error": "infrastructure", "message": "the GPU fell off", "delay": 0.5}

A request is answered by the first turn that is not used up and whose `match` (substring) or `pattern` (regular expression) occurs in the
last message, and whose `after` occurs anywhere in the conversation; a turn without any of them fits every request. `repeat` says how often
a turn is played (default 1, 0 for ever). `text` may be a list: one text for each candidate, the last one for the rest. `error` is `429`,
`reset`, `infrastructure`, `refused` or `overflow`. `delay` is in seconds. Lines that begin with # are left out.
"""

from __future__ import annotations

import asyncio
import re
import time
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from suture_agent.errors import ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable, SettingsError
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Finish, OnText, PolicyIdentity, ToolCall
from suture_agent.policies.lora import Lora

T = TypeVar("T")
Failure = Literal["429", "reset", "infrastructure", "refused", "overflow"]

_FAILURES: dict[Failure, PolicyError] = {
    "429": PolicyUnavailable("the scripted server is busy (429)", remedy="the script says so"),
    "reset": PolicyError("the scripted connection was reset", remedy="the script says so"),
    "infrastructure": PolicyUnavailable("the scripted server is down", remedy="the script says so"),
    "refused": PolicyRefused("the scripted server refused the request", remedy="the script says so"),
    "overflow": ContextOverflow("the request does not fit the scripted context", remedy="the script says so"),
}


class ScriptedCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool call to play. Arguments as text are sent as they stand, malformed or not."""

    name: str
    arguments: dict[str, Any] | str = {}


class ScriptedTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer, or one failure."""

    match: str = ""
    pattern: str = ""
    after: str = ""
    text: str | tuple[str, ...] = ""
    calls: tuple[ScriptedCall, ...] = ()
    reasoning: str = ""
    finish: Finish | None = None
    error: Failure | None = None
    message: str = ""
    delay: float = 0.0
    repeat: int = 1


class ScriptedHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the scripted model pretends to be."""

    name: str = "scripted"
    context: int = 32_768
    tools: bool = True
    prefill: bool = True
    thinking: bool = False
    parallel: int = 8


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A whole script."""

    header: ScriptedHeader = ScriptedHeader()
    turns: tuple[ScriptedTurn, ...] = ()


class ScriptedPolicy:
    """Plays a script, in order, and remembers what it was asked. Deterministic: equal requests in equal order get equal answers."""

    def __init__(self, script: Path | str | Script, *, lora: Lora | None = None) -> None:
        """`lora`: pretend to answer with this adapter."""
        self.script = script if isinstance(script, Script) else load(Path(script))
        self.requests: list[ChatRequest] = []
        self._lora = lora
        self._played = [0] * len(self.script.turns)

    @property
    def capability(self) -> Capability:
        """As the script's header says."""
        header = self.script.header
        return Capability(
            context=header.context, tools=header.tools, prefill=header.prefill, thinking=header.thinking, parallel=header.parallel
        )

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return PolicyIdentity(name=self.script.header.name, adapter=self._lora.digest if self._lora is not None else "", server="scripted")

    async def introduce(self) -> PolicyIdentity:
        """As `start`."""
        return await self.start()

    def adapted(self, lora: Lora) -> ScriptedPolicy:
        """The same script, which goes on where it stands: an adapter changes who answers, not what was played."""
        other = ScriptedPolicy(self.script, lora=lora)
        other.requests, other._played = self.requests, self._played
        return other

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Play the next fitting turn; PolicyError where the script has none left."""
        self.requests.append(request)
        turn = self._next(request)
        started = time.monotonic()
        if turn.delay:
            await asyncio.sleep(turn.delay)
        if turn.error is not None:
            failure = _FAILURES[turn.error]
            raise type(failure)(turn.message or str(failure), remedy=failure.remedy)
        choices = tuple(_choice(turn, number) for number in range(request.candidates))
        if on_text is not None and choices[0].text:
            on_text(choices[0].text)
        return Completion(
            choices=choices,
            prompt_tokens=sum(_tokens(message.content) for message in request.messages) + _tokens(request.prefill),
            completion_tokens=sum(_tokens(choice.text) + sum(_tokens(call.arguments) for call in choice.tool_calls) for choice in choices),
            seconds=time.monotonic() - started,
        )

    async def close(self) -> None:
        """There is nothing to close."""

    def _next(self, request: ChatRequest) -> ScriptedTurn:
        last = request.messages[-1].content if request.messages else ""
        whole = "\n".join(message.content for message in request.messages)
        for number, turn in enumerate(self.script.turns):
            if turn.repeat and self._played[number] >= turn.repeat:
                continue
            if turn.match in last and turn.after in whole and (not turn.pattern or re.search(turn.pattern, last)):
                self._played[number] += 1
                return turn
        raise PolicyError(f"the script has no turn left for: {last[:120]!r}", remedy='add a turn, or "repeat": 0 to one that fits')


def load(path: Path) -> Script:
    """Read a script. Errors name the file and the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyUnavailable(
            f"the script {path} cannot be read: {error}", remedy="see the format in suture_agent.policies.scripted"
        ) from error
    return _toml(path, text) if path.suffix == ".toml" else _lines(path, text)


def _lines(path: Path, text: str) -> Script:
    header, turns = ScriptedHeader(), list[ScriptedTurn]()
    seen = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            data = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError) as error:
            raise _bad(f"{path}:{number}", error) from error
        if not seen and set(data) & set(ScriptedHeader.__struct_fields__):
            header = _read(data, ScriptedHeader, f"{path}:{number}")
        else:
            turns.append(_turn(data, f"{path}:{number}"))
        seen = True
    return Script(header=header, turns=tuple(turns))


def _toml(path: Path, text: str) -> Script:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(str(path), error) from error
    header = _read({key: value for key, value in data.items() if key != "turn"}, ScriptedHeader, f"{path}:1")
    places = [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*turn\s*\]\]", line)]
    turns = _read(data.get("turn", []), list[Any], f"{path}:1")
    if len(places) != len(turns):
        places = [f"{path}: turn {number}" for number in range(1, len(turns) + 1)]
    return Script(header=header, turns=tuple(_turn(each, place) for each, place in zip(turns, places, strict=True)))


def _turn(data: object, place: str) -> ScriptedTurn:
    turn = _read(data, ScriptedTurn, place)
    if turn.pattern:
        try:
            re.compile(turn.pattern)
        except re.error as error:
            raise _bad(place, error) from error
    if turn.error is None and not turn.text and not turn.calls:
        raise _bad(place, ValueError("a turn needs text, calls or an error"))
    if turn.repeat < 0 or turn.delay < 0:
        raise _bad(place, ValueError("repeat and delay cannot be negative"))
    return turn


def _read(data: object, kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _bad(place, error) from error


def _bad(place: str, error: Exception) -> SettingsError:
    return SettingsError(f"{place}: {error}", remedy="see the format in suture_agent.policies.scripted")


def _choice(turn: ScriptedTurn, number: int) -> Choice:
    texts = (turn.text,) if isinstance(turn.text, str) else turn.text
    calls = tuple(
        ToolCall(id=f"call_{number}_{index}", name=call.name, arguments=_text(call.arguments)) for index, call in enumerate(turn.calls)
    )
    finish: Finish = turn.finish or ("tool_calls" if calls else "stop")
    text = texts[min(number, len(texts) - 1)] if texts else ""
    return Choice(text=text, tool_calls=calls, reasoning=turn.reasoning, finish=finish)


def _text(arguments: dict[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def _tokens(text: str) -> int:
    """Four characters a token: an estimate that budgets can count on being the same every time."""
    return (len(text) + 3) // 4
