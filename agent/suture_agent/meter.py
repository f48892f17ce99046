"""The meter: counts what an episode spends, enforces its budgets, and tells each step. The one mutable thing in an episode."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from suture_agent.errors import BudgetSpent
from suture_agent.events import Events, StepDone
from suture_agent.harness import Harness
from suture_agent.policies import ChatRequest, Completion, Message, OnText, Policy
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


class Meter:
    """Runs the policy's and the sandbox's work for one problem."""

    def __init__(self, problem: str, policy: Policy, sandbox: Sandbox, harness: Harness, events: Events) -> None:
        self.problem = problem
        self.sandbox = sandbox
        self.harness = harness
        self.turns: list[Turn] = []
        self._policy = policy
        self._events = events
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        """What was spent so far."""
        return self._usage

    async def ask(self, request: ChatRequest, note: str = "", on_text: OnText | None = None) -> Completion:
        """Send a request; raises BudgetSpent before one that would exceed the episode's steps or tokens."""
        budgets = self.harness.budgets
        if self._usage.steps >= budgets.steps:
            raise BudgetSpent(f"{budgets.steps} requests to the policy are used up")
        if self._usage.completion_tokens >= budgets.tokens:
            raise BudgetSpent(f"{budgets.tokens} generated tokens are used up")
        started = time.monotonic()
        try:
            completion = await self._policy.complete(request, on_text)
        finally:
            seconds = time.monotonic() - started
            self._add(seconds_policy=seconds)
        self.turns.append(Turn(request=request, completion=completion))
        self._add(steps=1, completion=completion)
        self.step("policy", seconds, note)
        return completion

    async def check(self, check: Check, snapshot: Snapshot, select: Sequence[str] = ()) -> CheckResult:
        """Run a check in a fresh attempt, on the problem's account."""
        started = time.monotonic()
        try:
            return await self.sandbox.check(check, snapshot, select=select)
        finally:
            self._add(seconds_sandbox=time.monotonic() - started)

    async def run(self, snapshot: Snapshot, command: Command) -> Completed:
        """Run a command in a fresh attempt, on the problem's account."""
        started = time.monotonic()
        try:
            return await self.sandbox.run(snapshot, command)
        finally:
            self._add(seconds_sandbox=time.monotonic() - started)

    def add_sandbox(self, seconds: float) -> None:
        """Book sandbox time that was spent outside `check` and `run`, such as a verdict's."""
        self._add(seconds_sandbox=seconds)

    def step(self, tool: str, seconds: float, note: str = "") -> None:
        """Tell a step."""
        self._events(StepDone(problem=self.problem, step=self._usage.steps, tool=tool, seconds=seconds, note=note))

    def conversation(self) -> tuple[Message, ...]:
        """The messages of the last request with its first answer: the whole conversation of a harness that appends."""
        if not self.turns:
            return ()
        last = self.turns[-1]
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
