"""The meter: counts what episodes spend, enforces their budgets, and tells each step. The one mutable thing in an episode.

Usage is that of the whole problem. Steps, tokens and tool calls are bounded an episode: `begin` starts the next one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from suture_agent.errors import BudgetSpent
from suture_agent.events import Events, StepDone
from suture_agent.harness import Harness
from suture_agent.policies import ChatRequest, Completion, Message, OnText, Policy
from suture_agent.privacy import whole
from suture_sandbox.backend import Command, Completed
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent."""

    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    seconds_policy: float = 0.0
    seconds_sandbox: float = 0.0


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the policy and its answers, as they are recorded."""

    request: ChatRequest
    completion: Completion
    by: Literal["policy", "judge"] = "policy"
    """Who answered. A judge's word is no example of how to repair."""


class Spent(msgspec.Struct, kw_only=True):
    """What the present episode has spent of what is bounded."""

    steps: int = 0
    tokens: int = 0
    tool_calls: int = 0


class Meter:
    """Runs the policy's and the sandbox's work for one problem."""

    def __init__(self, problem: str, policy: Policy, sandbox: Sandbox, harness: Harness, events: Events) -> None:
        self.problem = problem
        self.sandbox = sandbox
        self.harness = harness
        self.turns: list[Turn] = []
        self.refused: list[str] = []
        """Rules of the guard that refused a proposal, one for each thing they found."""
        self._policy = policy
        self._events = events
        self._usage = Usage()
        self._spent = Spent()

    @property
    def usage(self) -> Usage:
        """What was spent so far."""
        return self._usage

    def begin(self) -> None:
        """An episode begins: its budgets are whole again."""
        self._spent = Spent()

    async def ask(self, request: ChatRequest, note: str = "", on_text: OnText | None = None) -> Completion:
        """Send a request; raises BudgetSpent before one that would exceed the episode's steps or tokens."""
        budgets, spent = self.harness.budgets, self._spent
        if spent.steps >= budgets.steps:
            raise BudgetSpent(f"{budgets.steps} requests to the policy are used up", limit="steps")
        if spent.tokens >= budgets.tokens:
            raise BudgetSpent(f"{budgets.tokens} generated tokens are used up", limit="tokens")
        completion, seconds = await self._timed(self._policy, request, on_text)
        self.turns.append(Turn(request=request, completion=completion))
        self._add(steps=1, completion=completion)
        spent.steps += 1
        spent.tokens += completion.completion_tokens
        self.step("policy", seconds, note)
        return completion

    async def consult(self, judge: Policy, request: ChatRequest, note: str = "") -> Completion:
        """Ask somebody else than the policy: counted and recorded as such, and no step of the episode."""
        completion, seconds = await self._timed(judge, request)
        self.turns.append(Turn(request=request, completion=completion, by="judge"))
        self._add(completion=completion)
        self.step("judge", seconds, note)
        return completion

    def call(self) -> None:
        """Count a tool call; raises BudgetSpent before one that would exceed the episode's."""
        most = self.harness.budgets.tool_calls
        if most is not msgspec.UNSET and self._spent.tool_calls >= most:
            raise BudgetSpent(f"{most} tool calls are used up", limit="steps")
        self._spent.tool_calls += 1

    async def _timed(self, policy: Policy, request: ChatRequest, on_text: OnText | None = None) -> tuple[Completion, float]:
        started = time.monotonic()
        try:
            completion = await policy.complete(request, on_text)
        finally:
            seconds = time.monotonic() - started
            self._add(seconds_policy=seconds)
        return completion, seconds

    async def check(self, check: Check, snapshot: Snapshot, select: Sequence[str] = ()) -> CheckResult:
        """Run a check in a fresh attempt, or take what it said of equal content, on the problem's account; nothing is proven by this."""
        started = time.monotonic()
        try:
            return await self.sandbox.check(check, whole(snapshot), select=select, memo=True)
        finally:
            self._add(seconds_sandbox=time.monotonic() - started)

    async def run(self, snapshot: Snapshot, command: Command, *, memo: bool = False) -> Completed:
        """Run a command in a fresh attempt, on the problem's account.

        `memo`: an earlier run on equal content will do. For suture's own programs, not for what a policy wants to see happen.
        """
        started = time.monotonic()
        try:
            return await self.sandbox.run(whole(snapshot), command, memo=memo)
        finally:
            self._add(seconds_sandbox=time.monotonic() - started)

    def add_sandbox(self, seconds: float) -> None:
        """Book sandbox time that was spent outside `check` and `run`, such as a verdict's."""
        self._add(seconds_sandbox=seconds)

    def step(self, tool: str, seconds: float, note: str = "") -> None:
        """Tell a step."""
        self._events(StepDone(problem=self.problem, step=self._usage.steps, tool=tool, seconds=seconds, note=note))

    def conversation(self) -> tuple[Message, ...]:
        """The messages of the policy's last request with its first answer: the whole conversation of a harness that appends."""
        last = next((turn for turn in reversed(self.turns) if turn.by == "policy"), None)
        if last is None:
            return ()
        choice = last.completion.choices[0]
        answer = Message(
            role="assistant", content=last.request.prefill + choice.text, tool_calls=choice.tool_calls, reasoning=choice.reasoning
        )
        return (*last.request.messages, answer)

    def _add(
        self, *, steps: int = 0, seconds_policy: float = 0.0, seconds_sandbox: float = 0.0, completion: Completion | None = None
    ) -> None:
        used = self._usage
        self._usage = Usage(
            steps=used.steps + steps,
            prompt_tokens=used.prompt_tokens + (completion.prompt_tokens if completion else 0),
            completion_tokens=used.completion_tokens + (completion.completion_tokens if completion else 0),
            cached_tokens=used.cached_tokens + (completion.cached_tokens if completion else 0),
            seconds_policy=used.seconds_policy + seconds_policy,
            seconds_sandbox=used.seconds_sandbox + seconds_sandbox,
        )
