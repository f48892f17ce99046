def batched(items, size):
    if size < 1:
        raise ValueError("size must be at least 1")
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def in_batches(items, size, run):
    out = []
    for batch in batched(items, size):
        out.extend(await run(batch))
    return out
