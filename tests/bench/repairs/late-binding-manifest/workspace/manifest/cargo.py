from manifest.fixed import Field, record

Container = record(
    "Container",
    Field("number", 11),
    Field("port", 5, str.upper),
    Field("kilos", 7, int),
)


def load(text):
    return [Container(line) for line in text.splitlines() if line.strip()]


def kilos_by_port(containers):
    totals = {}
    for container in containers:
        totals[container.port] = totals.get(container.port, 0) + container.kilos
    return totals
