"""What holds for every test: where `make test` fetched the weights for the tests of the real model, none of these may be left out."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With SUTURE_TEST_MODEL=required a test of the real model that skips itself has failed."""
    report = yield
    if report.skipped and item.get_closest_marker("model") and os.environ.get("SUTURE_TEST_MODEL") == "required":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} needs the weights, and they were promised to it: {call.excinfo.value}"
    return report
