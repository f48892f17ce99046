"""`python -m suture_training.learn OUT [SETTINGS.toml] [--until STAGE]`: what `make learn` runs. Goes on where it was interrupted."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import warnings
from pathlib import Path

from suture_agent.errors import AgentFloorError
from suture_sandbox.errors import SandboxFloorError
from suture_training.errors import TrainingError
from suture_training.learn.experiment import Experiment
from suture_training.learn.settings import read
from suture_training.learn.whole import UNTIL, run


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when everything was made, 3 when something failed that is told, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m suture_training.learn", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for all that is made")
    parser.add_argument("settings", type=Path, nargs="?", help="instead of the shipped learn.toml")
    parser.add_argument("--until", choices=UNTIL, default=UNTIL[-1], help="the last stage")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    warnings.simplefilter("ignore")  # what torch, transformers and trl warn about is no news to whoever reads the stages here
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {text}\n")
        sys.stderr.flush()

    experiment: Experiment | None = None
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        experiment = Experiment(read(asked.settings), asked.out.resolve(), say)
        run(experiment, asked.until)
    except (TrainingError, AgentFloorError, SandboxFloorError) as error:
        say(f"error: {error}" + (f"; try: {error.remedy}" if error.remedy else ""))
        return 3
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        return 130
    finally:
        if experiment is not None:
            experiment.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
