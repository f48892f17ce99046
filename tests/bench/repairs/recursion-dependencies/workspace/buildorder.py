class CycleError(Exception):
    def __init__(self, path):
        super().__init__(" -> ".join(path))
        self.path = path


def order(graph):
    """Targets in an order in which each comes after what it needs. Raises CycleError.

    graph: target -> list of targets that it needs.
    """
    done = []

    def visit(target, path):
        if target in done:
            return
        for needed in graph.get(target, []):
            visit(needed, path)
        done.append(target)

    for target in graph:
        visit(target, [])
    return done


def needed_by(graph, target):
    """Everything that directly or indirectly needs the target."""
    found = set()
    waiting = [target]
    while waiting:
        current = waiting.pop()
        for other, needs in graph.items():
            if current in needs and other not in found:
                found.add(other)
                waiting.append(other)
    return found
