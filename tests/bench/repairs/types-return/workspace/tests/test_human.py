from filesizes.human import human, scale, summary


def test_scale() -> None:
    assert scale(999) == (999.0, "B")
    assert scale(2_500_000) == (2.5, "MB")


def test_human() -> None:
    assert human(1500) == "1.5 kB"
    assert human(3000) == "3 kB"


def test_summary() -> None:
    assert summary({"b": 500, "a": 1500}) == ["a: 1.5 kB", "b: 500 B", "total: 2 kB"]
