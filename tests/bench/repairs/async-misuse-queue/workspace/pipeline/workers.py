import asyncio


async def worker(queue, handle, results):
    while True:
        item = await queue.get()
        results.append(await handle(item))


async def process(items, handle, workers=2, deadline=0.5):
    """Handle all items by some workers; results come in the order in which they are finished."""
    queue = asyncio.Queue()
    results = []
    for item in items:
        queue.put_nowait(item)
    tasks = [asyncio.create_task(worker(queue, handle, results)) for _ in range(workers)]
    try:
        await asyncio.wait_for(queue.join(), deadline)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return results
