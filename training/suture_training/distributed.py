"""Rollouts on a Ray cluster (`rl.rollouts = "ray"`, the extra `suture[ray]`): the same episodes, in other processes and on other machines.

Each worker is a Ray actor that opens the task set's sites on its own machine, held to the environment that the tasks were verified in, and
runs `collect.Here`: the one path. What comes back is a finished `Sample`. Where a server draws, workers ask it by its address; a policy of
the training process is asked through a desk, an actor at which workers leave requests and the trainer picks them up.

A worker that is lost (killed, its machine gone) takes its episodes with it: nothing of them was counted, they are run again elsewhere, and
after `TRIES` a rollout has no reward, which is not reward 0. Another worker is started in its place. What a worker cannot mend by being
started again (another environment, no sandbox) ends the run.

The task set's folder has to lie under one path on all machines. What goes between the machines is neither encrypted nor signed: a Ray
cluster trusts its network. Only `open_workers` imports Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import logging
import math
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.errors import ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable
from suture_agent.harness import Harness
from suture_agent.policies import Capability, ChatRequest, Completion, OnText, Policy, PolicyIdentity
from suture_sandbox.errors import SandboxFloorError
from suture_sandbox.slots import Slots
from suture_training.collect import Here, Sample, unscored
from suture_training.errors import TrainingError
from suture_training.rewards import Masking, Payment
from suture_training.tasks.sites import open_sites
from suture_training.tasks.store import TaskSet
from suture_training.tasks.task import Task

logger = logging.getLogger(__name__)

TRIES = 3
"""How often an episode is begun whose worker is lost."""
_MANY = 10_000
_ERRORS: Mapping[str, type[PolicyError]] = {
    each.__name__: each for each in (ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable)
}


class RaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [ray] of a run's TOML."""

    address: str = ""
    """Of a cluster's head, such as `10.0.0.1:6379`; empty starts Ray on this machine alone, for as long as the run takes."""
    workers: int = 2
    cores: int = 1
    """Of each worker: attempts at once, and what Ray sets aside for it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has to know."""

    tasks: str
    """Folder of the task set."""
    cache: str
    allow: tuple[str, ...] = ()
    """Fields in which a worker's environment may differ from that of the tasks."""
    harness: Harness
    masking: Masking = "asymmetric"
    longest: int = 0
    reward: Payment = "verdict"
    server: str = ""
    """Address of the policy, ending in /v1; empty for one of the training process."""
    capability: Capability
    identity: PolicyIdentity
    slots: int = 1


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back: a result, or an error by its parts. Errors themselves do not survive the way."""

    sample: Sample | None = None
    completion: Completion | None = None
    error: str = ""
    remedy: str = ""
    kind: str = ""


class Desk:
    """Actor: where workers leave requests for a policy of the training process."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._asked: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def ask(self, request: bytes) -> bytes:
        """Leave a request, and wait for its answer."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((number, request))
        try:
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def take(self) -> list[tuple[int, bytes]]:
        """All requests that wait; at least one."""
        taken = [await self._asked.get()]
        while not self._asked.empty():
            taken.append(self._asked.get_nowait())
        return taken

    async def answer(self, number: int, answer: bytes) -> None:
        """Answer a request; one that nobody waits for any more is forgotten."""
        future = self._waiting.get(number)
        if future is not None and not future.done():
            future.set_result(answer)


class DeskPolicy:
    """A worker's way to the policy of the training process."""

    def __init__(self, ask: Callable[[bytes], Awaitable[bytes]], capability: Capability, identity: PolicyIdentity) -> None:
        self._ask = ask
        self._identity = identity
        self.capability = capability

    async def start(self) -> PolicyIdentity:
        """As the training process said."""
        return self._identity

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Have it answered over there. Raises PolicyError as it was raised there, PolicyUnavailable where nobody answers."""
        try:
            content = await self._ask(msgspec.json.encode(request))
        except Exception as error:  # the boundary: whatever Ray raises, the policy was not reached
            raise PolicyUnavailable(f"the training process was not reached: {error}", remedy="see Ray's log") from error
        answer = msgspec.json.decode(content, type=Answer)
        if answer.completion is None:
            raise _ERRORS.get(answer.kind, PolicyError)(answer.error, remedy=answer.remedy)
        if on_text is not None and answer.completion.choices[0].text:
            on_text(answer.completion.choices[0].text)
        return answer.completion

    async def close(self) -> None:
        """The policy is somebody else's."""


class Worker:
    """Actor: the sites of a task set on its machine, and episodes on them."""

    def __init__(self, plan: bytes, desk: Any) -> None:  # noqa: ANN401  # a Ray actor
        self._plan = msgspec.json.decode(plan, type=Plan)
        self._desk = desk
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._here: Here | None = None
        self._tasks: dict[str, Task] = {}

    async def sample(self, task: str, seed: int) -> bytes:
        """Run one episode; the first opens the sites."""
        try:
            here = await self._opened()
            answer = Answer(sample=await here.sample(self._tasks[task], seed))
        except SandboxFloorError as error:
            answer = Answer(error=str(error), remedy=error.remedy)
        return msgspec.json.encode(answer)

    async def process(self) -> int:
        """Its process, for people and tests."""
        return os.getpid()

    async def close(self) -> None:
        """Stop what is kept warm."""
        await self._stack.aclose()

    async def _opened(self) -> Here:
        plan = self._plan
        async with self._opening:
            if self._here is None:
                found = await asyncio.to_thread(TaskSet.read, Path(plan.tasks))
                opening = open_sites(found, Path(plan.cache), allow=plan.allow, slots=Slots(plan.slots))
                sites = await self._stack.enter_async_context(opening)
                self._tasks = {task.id: task for task in await asyncio.to_thread(lambda: found.tasks)}
                self._here = Here(sites, self._policy(), plan.harness, masking=plan.masking, longest=plan.longest, reward=plan.reward)
            return self._here

    def _policy(self) -> Policy:
        if not self._plan.server:
            return DeskPolicy(self._desk.ask.remote, self._plan.capability, self._plan.identity)
        from suture_agent.policies.openai_compatible import OpenAIPolicy

        policy = OpenAIPolicy(self._plan.server, "", tokens=True)
        self._stack.push_async_callback(policy.close)
        return policy


class Workers:
    """The driver's side: as many workers as were asked for, each with several episodes under way. Use from one event loop."""

    def __init__(self, ray: Any, plan: Plan, policy: Policy, settings: RaySettings, parallel: int) -> None:  # noqa: ANN401  # the module
        self._ray = ray
        self._plan = msgspec.json.encode(plan)
        self._policy = policy
        self._each = max(1, math.ceil(parallel / settings.workers))
        self._desk = ray.remote(num_cpus=0, max_concurrency=_MANY)(Desk).remote()
        self._kind = ray.remote(num_cpus=settings.cores, max_concurrency=self._each + 2)(Worker)
        self._workers = [self._made() for _ in range(settings.workers)]
        self._free: asyncio.Queue[int] = asyncio.Queue()
        for _ in range(self._each):
            for number in range(settings.workers):
                self._free.put_nowait(number)
        self._answering: asyncio.Task[None] | None = None
        self.lost = 0
        """Workers that were lost so far."""
        self._in_a_row = 0

    async def sample(self, task: Task, seed: int) -> Sample:
        """One rollout, wherever there is room; see `collect.Episodes`. Raises TrainingError."""
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_requests())
        if self._answering.done():
            raise TrainingError("the workers cannot ask the policy any more: their desk was lost", remedy="see Ray's log; run it again")
        for _ in range(TRIES):
            number = await self._free.get()
            worker = self._workers[number]
            try:
                answer = msgspec.json.decode(await worker.sample.remote(task.id, seed), type=Answer)
            except self._ray.exceptions.RayActorError:
                self._replace(number, worker)
                continue
            finally:
                self._free.put_nowait(number)
            self._in_a_row = 0
            if answer.sample is None:
                raise TrainingError(f"a worker cannot run the tasks: {answer.error}", remedy=answer.remedy)
            return answer.sample
        return unscored(seed, f"infrastructure: {TRIES} workers were lost with it")

    async def processes(self) -> list[int]:
        """The workers' processes."""
        return list(await asyncio.gather(*(worker.process.remote() for worker in self._workers)))

    async def close(self) -> None:
        """End the workers and the desk; what they run in sandboxes ends with them."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        with contextlib.suppress(self._ray.exceptions.RayError, TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.gather(*(worker.close.remote() for worker in self._workers), return_exceptions=True)
        for actor in (*self._workers, self._desk):
            self._ray.kill(actor)

    def _made(self) -> Any:  # noqa: ANN401  # a Ray actor
        return self._kind.remote(self._plan, self._desk)

    def _replace(self, number: int, lost: Any) -> None:  # noqa: ANN401  # a Ray actor
        """Start another worker in the place of a lost one, once, however many episodes were lost with it. Raises TrainingError at last."""
        if self._workers[number] is not lost:
            return
        self.lost += 1
        self._in_a_row += 1
        logger.warning("a worker was lost, its episodes are run again (%d so far)", self.lost)
        if self._in_a_row > TRIES * len(self._workers):
            raise TrainingError(f"{self._in_a_row} workers were lost in a row", remedy="see Ray's log: ray logs cluster")
        self._workers[number] = self._made()

    async def _answer_requests(self) -> None:
        """Answer what is left at the desk, side by side."""
        async with asyncio.TaskGroup() as group:
            while True:
                for number, request in await self._desk.take.remote():
                    group.create_task(self._answer(number, msgspec.json.decode(request, type=ChatRequest)))

    async def _answer(self, number: int, request: ChatRequest) -> None:
        try:
            answer = Answer(completion=await self._policy.complete(request))
        except PolicyError as error:
            answer = Answer(error=str(error), remedy=error.remedy, kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not wait for ever
            answer = Answer(error=f"the policy failed: {type(error).__name__}: {error}")
        await self._desk.answer.remote(number, msgspec.json.encode(answer))


@contextlib.asynccontextmanager
async def open_workers(plan: Plan, policy: Policy, settings: RaySettings, *, parallel: int) -> AsyncGenerator[Workers]:
    """Workers on a cluster, or on this machine; they end with the context. `parallel`: episodes at once, over all of them.

    Raises TrainingError where Ray is not installed or the cluster is not reached.
    """
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise TrainingError(f"{error.name} is not installed", remedy="install suture[ray], or set rl.rollouts to local") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    own, wanted = not ray.is_initialized(), settings.workers * settings.cores
    if own:
        alone = {"address": "local", "include_dashboard": False, "num_cpus": wanted}
        where: dict[str, Any] = {"address": settings.address} if settings.address else alone
        try:
            await asyncio.to_thread(ray.init, **where, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise TrainingError(f"Ray does not start: {error}", remedy="see ray.address, and: ray status") from error
    try:
        if (there := ray.cluster_resources().get("CPU", 0)) < wanted:
            raise TrainingError(f"the cluster has {there:g} cores, the workers want {wanted}", remedy="lower ray.workers or ray.cores")
        workers = Workers(ray, plan, policy, settings, parallel)
        try:
            yield workers
        finally:
            await workers.close()
    finally:
        if own:
            await asyncio.to_thread(ray.shutdown)
