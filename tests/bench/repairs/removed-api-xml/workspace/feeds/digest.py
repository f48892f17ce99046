def digest(entries, limit=20):
    out = []
    for number, entry in enumerate(entries, 1):
        text = entry["body"]
        if len(text) > limit:
            text = text[: limit - 3] + "..."
        out.append(f"{number}. {entry['title']}: {text}")
    return out
