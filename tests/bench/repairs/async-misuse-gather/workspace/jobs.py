import asyncio


class JobFailed(Exception):
    pass


async def run_all(jobs, limit=3):
    """Run coroutine functions, at most `limit` at once. Returns results in order; a failed job gives its exception."""
    gate = asyncio.Semaphore(limit)

    async def guarded(job):
        async with gate:
            return await job()

    return await asyncio.gather([guarded(job) for job in jobs])


async def first_ok(jobs):
    """Result of the first job that works, tried one after another."""
    for job in jobs:
        try:
            return await job()
        except JobFailed:
            continue
    raise JobFailed("all jobs failed")
