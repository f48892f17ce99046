from typing import Dict, List, Optional


def parse(text: str) -> Dict[str, str]:
    """'a=1,b=2' to a dictionary."""
    pairs: List[str] = [part for part in text.split(",") if part]
    return dict(pair.split("=", 1) for pair in pairs)


def matches(labels: Dict[str, str], selector: Optional[str]) -> bool:
    """Whether all pairs of the selector are among the labels; no selector matches everything."""
    if not selector:
        return True
    wanted = parse(selector)
    return all(labels.get(key) == value for key, value in wanted.items())


def render(labels: Dict[str, str]) -> str:
    return ",".join("{}={}".format(key, value) for key, value in sorted(labels.items()))
