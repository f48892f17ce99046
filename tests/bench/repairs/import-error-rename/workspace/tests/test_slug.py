from slugs import slugify, unique_slug


def test_words():
    assert slugify("Hello,  World!") == "hello-world"


def test_accents():
    assert slugify("Crème brûlée & Søn") == "creme-brulee-son"


def test_limit_does_not_end_with_a_dash():
    assert slugify("one two three", limit=8) == "one-two"


def test_unique():
    assert unique_slug("A b", {"a-b", "a-b-2"}) == "a-b-3"
