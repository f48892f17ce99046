# Latency numbers for the dashboard.


def percentile(samples, q):
    """Nearest-rank percentile, q in 0..100. None when there is nothing to rank."""
    if not samples:
        return None
    ordered = sorted(samples)
    rank = max(1, -(-len(ordered) * q // 100))
    return ordered[int(rank) - 1]


def mean(samples):
    """Arithmetic mean. None when there are no samples."""
    return sum(samples) / len(samples)


def error_ratio(codes):
    failed = [c for c in codes if c >= 500]
    return len(failed) / len(codes) if codes else 0.0


def summary(samples, codes):
    return {
        "p50": percentile(samples, 50),
        "p99": percentile(samples, 99),
        "mean": mean(samples),
        "errors": error_ratio(codes),
    }
