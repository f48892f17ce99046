import json


def decode(line):
    """One reading from a line of JSON, or None when it is damaged."""
    try:
        data = json.loads(line)
        return {"id": data["id"], "value": float(data["value"]), "valid": data.get("valid", True)}
    except:
        return None


def usable(readings):
    result = []
    for reading in readings:
        if reading == None or reading["valid"] == False:
            continue
        result.append(reading)
    return result


def latest(lines):
    """Newest value of each sensor."""
    values = {}
    for reading in usable(decode(line) for line in lines):
        values[reading["id"]] = reading["value"]
    return values
