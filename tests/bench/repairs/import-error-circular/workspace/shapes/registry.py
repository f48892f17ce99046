from shapes.base import Shape

_kinds = {}


def register(cls):
    """Class decorator that makes a shape known by its kind."""
    if not issubclass(cls, Shape):
        raise TypeError(f"{cls.__name__} is not a shape")
    _kinds[cls.kind] = cls
    return cls


def load(data):
    data = dict(data)
    cls = _kinds[data.pop("kind")]
    return cls(**data)
