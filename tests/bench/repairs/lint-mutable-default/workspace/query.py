"""Query strings."""

from urllib.parse import parse_qsl, urlencode


def build(params, drop=[]):
    """Query string of a dict; keys in `drop` and values that are None are left out."""
    kept = {k: v for k, v in sorted(params.items()) if k not in drop and v is not None}
    return urlencode(kept)


def parse(query):
    return dict(parse_qsl(query.lstrip("?"), keep_blank_values=True))


def update(query, **changes):
    params = parse(query)
    params.update(changes)
    return build(params)
