"""What is set inside every attempt, and which automatic updates that switches off. Data only.

Left out on purpose: NO_COLOR, FORCE_COLOR and PYTHONUTF8 (projects test what they print, and the locale is UTF-8 already);
PIP_REQUIRE_HASHES (it forbids building the workspace's own wheel; the sandbox has no network to fetch anything else);
GOFLAGS=-mod=vendor (Go takes a vendor folder by itself, and a workspace without one would not build); Gradle has no
variable for working offline: what keeps it from updating is that an attempt has no network.
"""

from __future__ import annotations

from collections.abc import Mapping

EPOCH = "315532800"
"""1980-01-01, the first instant that a zip archive, and so a wheel, can hold."""

VARIABLES: Mapping[str, str] = {
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GRADLE_OPTS": "-Dorg.gradle.daemon=false",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "MAVEN_ARGS": "--offline",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INDEX": "1",
    "PIP_NO_INPUT": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "SOURCE_DATE_EPOCH": EPOCH,
    "TZ": "UTC",
    "UV_FROZEN": "1",
    "UV_NO_PROGRESS": "1",
    "UV_OFFLINE": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_ignore_scripts": "true",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
}
"""The same on every machine: no value holds a path."""

UPDATES_OFF: Mapping[str, str] = dict.fromkeys(("cargo", "go", "gradle", "maven", "npm", "pip", "uv"), "off")
"""Tools that cannot fetch a newer anything inside an attempt."""
