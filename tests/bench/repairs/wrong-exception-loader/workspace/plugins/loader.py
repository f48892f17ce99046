import importlib

from plugins.errors import PluginError


def load(spec):
    """Object for 'module:attribute'. Whatever is wrong with it raises PluginError."""
    module_name, colon, attribute = spec.partition(":")
    if not colon:
        raise ValueError("no attribute given")
    try:
        module = importlib.import_module(module_name)
    except SyntaxError as error:
        raise PluginError(spec, "cannot be imported") from error
    return getattr(module, attribute)


def load_all(specs):
    """Everything that can be loaded, and the errors of the rest."""
    loaded, failed = {}, []
    for spec in specs:
        try:
            loaded[spec] = load(spec)
        except PluginError as error:
            failed.append(error)
    return loaded, failed
