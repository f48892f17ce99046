"""Where suture keeps things on this machine: the user's configuration, data and cache folders."""

from __future__ import annotations

from pathlib import Path


def cache_folder() -> Path:
    """Built environments, model weights, hashes: all can be deleted and come back."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("suture", appauthor=False))


def data_folder() -> Path:
    """The journal."""
    import platformdirs

    return Path(platformdirs.user_data_dir("suture", appauthor=False))


def user_configuration() -> Path:
    """The user's own settings file; it need not exist."""
    import platformdirs

    return Path(platformdirs.user_config_dir("suture", appauthor=False)) / "config.toml"
