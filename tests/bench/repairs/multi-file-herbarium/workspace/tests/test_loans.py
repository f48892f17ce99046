from herbarium.loans import prepare, walk


def test_all_there(catalogue):
    loan = prepare(catalogue, "Leiden", ["A1", "B7"])
    assert [sheet.number for sheet in loan.sheets] == ["A1", "B7"]
    assert loan.missing == []


def test_missing_sheets_are_listed(catalogue):
    loan = prepare(catalogue, "Leiden", ["A1", "Q5", "A2", "Q6"])
    assert [sheet.number for sheet in loan.sheets] == ["A1", "A2"]
    assert loan.missing == ["Q5", "Q6"]


def test_walk(catalogue):
    assert walk(prepare(catalogue, "Kew", ["A1", "A2", "B7"])) == [(1, 1), (2, 2)]
