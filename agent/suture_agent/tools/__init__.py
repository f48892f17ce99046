"""The tools of the `agent` harness: plain functions over a workbench, a table of schemas, and the validation of calls.

A tool's reply is text for the policy, errors included; nothing here raises because of what a policy wrote, except `Submitted`. Edits live
in the workbench, commands run in fresh attempts that see them; the user's files are never touched.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from suture_agent.errors import ToolRefused
from suture_agent.harness import Harness
from suture_agent.policies import ToolCall, ToolSchema
from suture_agent.timing import within
from suture_agent.tools.arguments import EditFile, FindFiles, FindText, ReadFile, RecallFixes, RunCheck, RunShell, Submit
from suture_agent.tools.bench import Workbench
from suture_agent.tools.files import edit_file, find_files, find_text, read_file
from suture_agent.tools.running import recall, run_check, run_shell, submit
from suture_sandbox.sandbox import shorten

Tool = Callable[[Workbench, Any], Coroutine[Any, Any, str]]
TOOLS: Mapping[str, tuple[type[msgspec.Struct], Tool]] = {
    "find_files": (FindFiles, find_files),
    "find_text": (FindText, find_text),
    "read_file": (ReadFile, read_file),
    "edit_file": (EditFile, edit_file),
    "run_check": (RunCheck, run_check),
    "run_shell": (RunShell, run_shell),
    "recall": (RecallFixes, recall),
    "submit": (Submit, submit),
}


def schema_of(name: str) -> ToolSchema:
    """A tool's schema, from its arguments' record and its docstring."""
    arguments, tool = TOOLS[name]
    _, components = msgspec.json.schema_components([arguments], ref_template="{name}")
    inner = components[arguments.__name__]
    parameters = {"type": "object", "properties": inner.get("properties", {}), "required": inner.get("required", [])}
    return ToolSchema(name=name, description=" ".join((tool.__doc__ or "").split()), parameters=parameters)


SCHEMAS: tuple[ToolSchema, ...] = tuple(schema_of(name) for name in TOOLS)


def offered(harness: Harness) -> tuple[ToolSchema, ...]:
    """The tools that a harness gives the policy."""
    return tuple(schema for schema in SCHEMAS if not harness.tools or schema.name in harness.tools)


async def call_tool(bench: Workbench, call: ToolCall) -> str:
    """Carry out a call; a malformed one, or one that cannot be done, is answered with what was wrong. Raises Submitted."""
    names = [schema.name for schema in offered(bench.meter.harness)]
    found = TOOLS[call.name] if call.name in names else None
    if found is None:
        close = difflib.get_close_matches(call.name, names, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"
        return f"error: there is no tool {call.name!r}{hint}"
    arguments, tool = found
    try:
        parsed = msgspec.json.decode(call.arguments or "{}", type=arguments)
    except ValueError as error:  # msgspec's own errors, and text that is no Unicode
        return f"error: the arguments of {call.name} do not fit: {error}. Expected {json.dumps(schema_of(call.name).parameters)}"
    try:
        reply = await _in_time(bench, tool(bench, parsed))
    except ToolRefused as refused:
        reply = f"error: {refused}"
    return shorten(reply, bench.meter.harness.budgets.observation)


async def _in_time(bench: Workbench, work: Coroutine[Any, Any, str]) -> str:
    """The tool's reply, or the harness's own where it has one for calls whose time is up; a time-out of somebody else passes."""
    instead = bench.meter.harness.timeout_reply
    if instead is msgspec.UNSET:
        return await work
    reply = await within(bench.meter.harness.budgets.tool_seconds, work)
    return instead if reply is None else reply
