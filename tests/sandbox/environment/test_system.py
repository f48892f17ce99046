"""Facts about the machine."""

from __future__ import annotations

import platform

import pytest

from suture_sandbox.capture.system import CPU_FEATURES, os_fields, platform_fields
from suture_sandbox.capture.variables import UPDATES_OFF, VARIABLES


def test_this_machine():
    fields = os_fields()
    assert fields["id"]
    assert fields["libc"].startswith(("glibc ", "musl"))
    here = platform_fields()
    assert here["machine"] == platform.machine()
    assert set(here["features"]) <= CPU_FEATURES
    assert here["features"] == tuple(sorted(here["features"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n', ("debian", "12")),
        ("# comment\nID='arch'\n\nnonsense\n", ("arch", "rolling")),
        ('ID="un\nVERSION_ID=3\n', (platform.system().lower(), "3")),
        ("", (platform.system().lower(), "rolling")),
    ],
)
def test_os_release(tmp_path, text, expected):
    path = tmp_path / "os-release"
    path.write_text(text)
    fields = os_fields(path)
    assert (fields["id"], fields["version"]) == expected


def test_only_what_every_core_can_counts_and_the_model_does_not(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("model name : Fast 9000\nflags : fpu avx2 fma\n\nmodel name : Slow 1\nflags : fpu avx2 sse4_2\n")
    assert platform_fields(path)["features"] == ("avx2",)
    path.write_text("Features\t: fp asimd sve\n")
    assert platform_fields(path)["features"] == ("asimd", "sve")
    assert platform_fields(tmp_path / "nowhere")["features"] == ()


def test_the_variables_hold_no_path_and_nothing_that_changes_what_programs_print():
    assert not any(value.startswith("/") for value in VARIABLES.values())
    assert not {"NO_COLOR", "FORCE_COLOR", "PYTHONUTF8", "PIP_REQUIRE_HASHES", "PATH", "HOME"} & set(VARIABLES)
    assert VARIABLES["TZ"] == "UTC"
    assert VARIABLES["PYTHONHASHSEED"] == "0"
    assert {"pip", "uv", "npm", "yarn", "cargo", "go", "gradle", "maven", "conda"} <= set(UPDATES_OFF)
    assert set(UPDATES_OFF.values()) == {"off"}
