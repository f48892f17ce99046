"""The errors of the training floor."""

from __future__ import annotations

from suture_sandbox.errors import ConfigurationError


class TrainingError(ConfigurationError):
    """Training or evaluation cannot go on as it was told to; `remedy` says what to do next. The command line ends with exit code 2."""
