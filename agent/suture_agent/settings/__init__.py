"""Configuration: one strict tree of records, where each value comes from, and what a workspace may not weaken.

Sources, lowest first: defaults, the workspace (`[tool.suture]` in pyproject.toml, or suture.toml), the user's own file, environment
variables, the command line. The user's file overrides the workspace and restricts it: `RULES` says per key which way a workspace may go.
"""

from __future__ import annotations

from suture_agent.settings.load import Loaded, load
from suture_agent.settings.records import CheckSettings, Settings
from suture_agent.settings.rules import RULES, Rule
from suture_agent.settings.schema import schema

__all__ = ["RULES", "CheckSettings", "Loaded", "Rule", "Settings", "load", "schema"]
