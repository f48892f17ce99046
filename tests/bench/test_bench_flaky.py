"""A small version of the bench of flaky tests: a few of each kind whose flakiness does not depend on the machine, and one workspace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from suture_sandbox.flaky.perturb import COPIES, PLAIN, REVERSED, TWICE


@pytest.mark.parametrize("kind", ["order", "shared state"])
async def test_injected_tests_are_found_and_their_twins_are_not(flaky: SimpleNamespace, kind, tmp_path):
    figures = await flaky.bench.hunt_kind(kind, 4, 7, tmp_path, say=False, perturbations=(PLAIN, REVERSED, COPIES, TWICE))
    assert (figures["found"], figures["false_alarms"], figures["lost"]) == (4, 0, 0), figures
    assert figures["named_rightly"] >= 3


def test_every_template_has_a_twin_and_passes_for_the_compiler(flaky: SimpleNamespace):
    for kind, templates in flaky.templates.TEMPLATES.items():
        text = flaky.templates.module(kind, range(2 * len(templates)), 3)
        compile(text, kind, "exec")
        assert text.count("def test_flaky_") == text.count("def test_healthy_") == 2 * len(templates)


async def test_flaky_test_beside_a_real_failure_neither_makes_nor_breaks_its_offer(flaky: SimpleNamespace, tmp_path):
    done = await flaky.bench.end_to_end(2, 1, tmp_path)
    assert (done["mended"], done["made"], done["infrastructure"]) == (True, [], 0), done
