"""Where suture keeps things on this machine: the user's configuration, data, state and cache folders.

A user whose home folder nobody knows (in a container, a number without a name) is told what to set: nothing is put where the program
happens to be started.
"""

from __future__ import annotations

from pathlib import Path

from suture_agent.errors import SettingsError


def cache_folder() -> Path:
    """Built environments, model weights, hashes: all can be deleted and come back."""
    return _folder("cache")


def data_folder() -> Path:
    """The journal."""
    return _folder("data")


def state_folder() -> Path:
    """What runs: the engines of the embedded model."""
    return _folder("state")


def user_configuration() -> Path:
    """The user's own settings file; it need not exist."""
    return _folder("config") / "config.toml"


def expanded(text: str, setting: str) -> Path:
    """A path that a user wrote, `~` and `~name` filled in. Raises SettingsError that names the setting where that home is not known."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{setting} = {text!r}: there is no such home folder", remedy="write the whole path") from error


def _folder(kind: str) -> Path:
    import platformdirs

    folders = {
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
        "state": platformdirs.user_state_path,
        "config": platformdirs.user_config_path,
    }
    try:
        folder = folders[kind]("suture", appauthor=False)
    except RuntimeError as error:
        raise _homeless(kind) from error
    if not folder.is_absolute():  # older releases of platformdirs do not raise
        raise _homeless(kind)
    return folder


def _homeless(kind: str) -> SettingsError:
    return SettingsError(
        "the user who runs suture has no home folder", remedy=f"set HOME, or XDG_{kind.upper()}_HOME, to a folder that can be written to"
    )
