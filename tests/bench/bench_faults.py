"""What goes wrong around attempts, on purpose: `python tests/bench/bench_faults.py --out DIR [--attempts 10000] [--docker 0.3] [--seed N]`.

Workers run commands and proofs whose right outcome is known (`fault_jobs`), and things are done to them meanwhile: the worker is killed
(-9) or paused, a zygote or a bubblewrap is killed, the agent of a container is, containers are removed, the daemon is killed and started
again, the disk of temporary files and kept results is filled, the wall clock jumps. Attempts that run out of time, memory, disk,
processes or patience are among the commands. After every worker the machine is looked at until nothing of it is left.

Wrong is: an outcome other than the right one or an infrastructure failure, an error that is none of suture's, and anything that is left
30 s after a worker's end. DIR gets faults.json and faults.svg; the exit code is 1 where anything was wrong. As root the bench has mounts
and a Docker daemon of its own; otherwise the disk is not filled, and the machine's daemon, where there is one, is not restarted: the
report says so.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

from fault_docker import open_containers
from fault_ground import Ground, Surroundings, stand_apart
from fault_report import Report, write_report
from fault_round import Bench, Round


def prepared(options: argparse.Namespace) -> Bench:
    """The ground, a daemon where one is wanted and to be had, and what cannot be done here."""
    ground = Ground()
    containers, why = open_containers(ground.folder) if options.docker else (None, "not asked for")
    bench = Bench(
        random=random.Random(options.seed),
        ground=ground,
        containers=containers,
        before=Surroundings(ground),
        report=Report(seed=options.seed),
    )
    bench.report.notes += [] if containers else [f"no Docker: {why}"]
    bench.report.notes += [] if ground.bounded else ["not root: the disk of temporary files is never filled"]
    bench.report.notes += ["the machine's daemon is used, and not restarted"] if containers and not containers.own else []
    return bench


def run(bench: Bench, options: argparse.Namespace) -> None:
    """Rounds until there are as many attempts as were asked for."""
    share = options.docker if bench.containers is not None else 0.0
    for backend, wanted in ((options.backend, options.attempts * (1 - share)), ("docker", options.attempts * share)):
        while (left := int(wanted) - bench.report.attempts[backend]) > 0:
            bench.report.rounds += 1
            attempts = min(left, int(bench.random.uniform(40, 200)))
            restart = backend == "docker" and bench.restartable and bench.random.random() < 0.4
            Round(bench, bench.report.rounds, backend, attempts).run(kill=bench.random.random() < 0.6, restart=restart)
            print(json.dumps(bench.report.line()), flush=True)


def close(bench: Bench) -> None:
    """Leave the machine as it was."""
    if bench.containers is not None:
        bench.containers.stop()
    bench.ground.remove()


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--docker", type=float, default=0.3, help="share of the attempts that run in containers, where there is a daemon")
    parser.add_argument("--backend", default="local", help="of the others; `memory` runs nothing, so that everything is wrong")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    stand_apart()
    bench = prepared(options)
    try:
        run(bench, options)
    finally:
        close(bench)
        write_report(bench.report, options.out)
    return 1 if bench.report.wrong or bench.report.left else 0


if __name__ == "__main__":
    sys.exit(main())
