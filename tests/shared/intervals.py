"""Simulated experiments: how often intervals hold the truth. Tests ask for a few of them, `tests/bench/bench_intervals.py` for many."""

from __future__ import annotations

import numpy as np
from evaluations import outcomes

from suture_training.evaluation.resampling import contrast


def drawn(rng, p, runs, repositories):
    solved = rng.binomial(runs, p)
    return outcomes(solved, runs, repositories=repositories)


def simulated(*, sims=250, clusters=20, size=3, runs=4, seeds=1, sd_seed=0.0, sd_home=0.1, inner=False):
    """Share of simulated experiments whose interval of the difference holds the truth, and the mean width; the effect is 0.08."""
    rng = np.random.default_rng(11)
    homes = [f"r{at // size:03}" for at in range(clusters * size)]
    held, width = 0, 0.0
    for _ in range(sims):
        base = np.repeat(rng.uniform(0.25, 0.55, clusters), size) + rng.uniform(-0.1, 0.1, clusters * size)
        effect = 0.08 + np.repeat(rng.uniform(-1, 1, clusters) * sd_home, size) + rng.uniform(-1, 1, (seeds, 1)) * sd_seed
        before = drawn(rng, np.broadcast_to(base, (seeds, len(base))), runs, homes)
        after = drawn(rng, base + effect, runs, homes)
        found = contrast([(1, after), (-1, before)], draws=300, inner=inner)
        held += found.low <= 0.08 <= found.high
        width += (found.high - found.low) / sims
    return held / sims, width
