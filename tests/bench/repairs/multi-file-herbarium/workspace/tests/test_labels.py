from herbarium.labels import label, labels


def test_label_with_collector(catalogue):
    assert label(catalogue, "A1") == "A1: Linum perenne, leg. M. Hart"


def test_label_without_collector(catalogue):
    assert label(catalogue, "A2") == "A2: Linum perenne"


def test_blank_label(catalogue):
    assert label(catalogue, "C3") == "C3: ________"


def test_labels(catalogue):
    assert labels(catalogue, ["A2", "X1"]) == "A2: Linum perenne\nX1: ________"
