"""Service settings, read from a mapping such as os.environ."""

DEFAULTS = {"HOST": "localhost", "PORT": 8080, "DEBUG": False, "WORKERS": 4}

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


class SettingsError(Exception):
    pass


def convert(name, raw, like):
    """Turn a raw string into the type of the default value."""
    if isinstance(like, bool):
        lowered = raw.lower()
        if lowered not in TRUE | FALSE:
            raise SettingsError(f"{name}: not a switch: {raw!r}")
        return lowered in TRUE
    return raw


def load(environ, prefix="APP_"):
    values = {}
    for name, default in DEFAULTS.items():
        raw = environ.get(prefix + name)
        values[name] = default if raw is None else convert(name, raw, default)
    if not 0 < values["PORT"] < 65536:
        raise SettingsError(f"PORT: out of range: {values['PORT']}")
    return values


def address(values):
    return "%s:%d" % (values["HOST"], values["PORT"])
