"""What is set inside every attempt, and which automatic updates that switches off. Data only.

Left out on purpose: NO_COLOR, FORCE_COLOR and PYTHONUTF8 (projects test what they print, and the locale is UTF-8 already);
PIP_REQUIRE_HASHES (it forbids building the workspace's own wheel; the sandbox has no network to fetch anything else);
GOFLAGS=-mod=vendor (Go takes a vendor folder by itself, and a workspace without one would not build). Gradle, and Maven before 3.9, have no
variable for working offline, nor has pre-commit: what keeps them from updating is that an attempt has no network.
"""

from __future__ import annotations

from collections.abc import Mapping

EPOCH = "315532800"
"""1980-01-01, the first instant that a zip archive, and so a wheel, can hold."""

UPDATERS: Mapping[str, Mapping[str, str]] = {
    "cargo": {"CARGO_NET_OFFLINE": "true"},
    "conda": {"CONDA_AUTO_UPDATE_CONDA": "false", "CONDA_NOTIFY_OUTDATED_CONDA": "false", "CONDA_OFFLINE": "true"},
    "corepack": {"COREPACK_ENABLE_AUTO_PIN": "0", "COREPACK_ENABLE_NETWORK": "0"},
    "go": {"GOPROXY": "off", "GOTOOLCHAIN": "local"},
    "gradle": {"GRADLE_OPTS": "-Dorg.gradle.daemon=false"},
    "maven": {"MAVEN_ARGS": "--offline"},
    "npm": {
        "NO_UPDATE_NOTIFIER": "1",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_ignore_scripts": "true",
        "npm_config_offline": "true",
        "npm_config_update_notifier": "false",
    },
    "pdm": {"PDM_CHECK_UPDATE": "false"},
    "pip": {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1", "PIP_NO_INPUT": "1"},
    "pyright": {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    "rustup": {"RUSTUP_AUTO_INSTALL": "0"},
    "uv": {"UV_FROZEN": "1", "UV_NO_PROGRESS": "1", "UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never"},
    "virtualenv": {"VIRTUALENV_NO_DOWNLOAD": "1", "VIRTUALENV_NO_PERIODIC_UPDATE": "1"},
    "yarn": {"YARN_ENABLE_NETWORK": "0", "YARN_ENABLE_TELEMETRY": "0"},
}
"""Tool -> what keeps it from fetching a newer anything, or from asking whether there is one."""

VARIABLES: Mapping[str, str] = {
    **{name: value for variables in UPDATERS.values() for name, value in variables.items()},
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "SOURCE_DATE_EPOCH": EPOCH,
    "TZ": "UTC",
}
"""The same on every machine: no value holds a path."""

UPDATES_OFF: Mapping[str, str] = dict.fromkeys(UPDATERS, "off")
"""Tools that cannot fetch a newer anything inside an attempt."""
