def test_search_ignores_case(catalogue):
    assert [article.sku for article in catalogue.search("TEA")] == ["tea", "pot"]


def test_search_finds_nothing(catalogue):
    assert catalogue.search("coffee") == []
