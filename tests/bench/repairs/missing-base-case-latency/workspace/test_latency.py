from metrics.latency import error_ratio, mean, percentile, summary


def test_percentile_median():
    assert percentile([5, 1, 3], 50) == 3


def test_percentile_edges():
    assert percentile([5, 1, 3], 0) == 1
    assert percentile([5, 1, 3], 100) == 5


def test_percentile_empty():
    assert percentile([], 95) is None


def test_mean():
    assert mean([1, 2, 6]) == 3


def test_error_ratio():
    assert error_ratio([200, 503, 404, 500]) == 0.5
    assert error_ratio([]) == 0.0


def test_summary():
    s = summary([10, 30], [200, 200])
    assert s == {"p50": 10, "p99": 30, "mean": 20, "errors": 0.0}


def test_summary_of_a_quiet_minute():
    assert summary([], []) == {"p50": None, "p99": None, "mean": None, "errors": 0.0}
