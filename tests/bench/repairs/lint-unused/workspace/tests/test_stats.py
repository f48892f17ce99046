from wordstat.stats import average_length, letters, sentences


def test_sentences():
    assert sentences("One. Two! Three?") == ["One", "Two", "Three"]


def test_average():
    assert average_length("One two. Three four five six.") == 3
    assert average_length("") == 0


def test_letters():
    assert letters("Abba!")["b"] == 2
