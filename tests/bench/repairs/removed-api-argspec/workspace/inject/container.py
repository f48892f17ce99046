import inspect


class NotRegistered(LookupError):
    pass


class Container:
    """Calls functions with arguments that are looked up by parameter name."""

    def __init__(self, **values):
        self._values = values
        self._factories = {}

    def factory(self, name):
        def decorate(function):
            self._factories[name] = function
            return function

        return decorate

    def resolve(self, name):
        if name in self._values:
            return self._values[name]
        if name not in self._factories:
            raise NotRegistered(name)
        value = self._values[name] = self.call(self._factories[name])
        return value

    def call(self, function, **given):
        spec = inspect.getargspec(function)
        optional = spec.args[len(spec.args) - len(spec.defaults or ()):]
        kwargs = dict(given)
        for name in spec.args:
            if name in kwargs:
                continue
            try:
                kwargs[name] = self.resolve(name)
            except NotRegistered:
                if name not in optional:
                    raise
        return function(**kwargs)
