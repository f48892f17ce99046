from pathlib import Path


def read_note(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def title(text: str) -> str:
    lines = text.splitlines()
    return lines[0].lstrip("# ") if lines else "untitled"
