import os
from pathlib import Path

from notes.files import read_note, title


def notes_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix == ".md")


def build_index(folder: Path) -> dict[str, str]:
    """File name -> title."""
    index: dict[str, str] = {}
    for path in notes_in(folder):
        index[path.name] = title(read_note(path))
    return index


def default_folder(environ: dict[str, str]) -> Path:
    return Path(environ.get("NOTES", "~/notes")).expanduser()


def default_index(environ: dict[str, str]) -> dict[str, str]:
    folder = os.path.expandvars(str(default_folder(environ)))
    return build_index(folder)
