from plugins.loader import load_all


def run(specs, value):
    """Feed a value through all plugins; returns the result and a report."""
    loaded, failed = load_all(specs)
    for function in loaded.values():
        value = function(value)
    return value, [f"skipped {error.name} ({error.reason})" for error in failed]
