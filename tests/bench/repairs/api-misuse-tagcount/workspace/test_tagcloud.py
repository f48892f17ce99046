from tagcloud import top, weights, words

TEXT = "The cat and the dog. A cat on the mat with a cat; the dog is sad."


def test_words_drop_stop_words():
    assert words("The End of a Story") == ["end", "story"]


def test_top():
    assert top(TEXT, 2) == ["cat", "dog"]


def test_top_one():
    assert top(TEXT, 1) == ["cat"]


def test_top_of_nothing():
    assert top("the of a") == []


def test_weights():
    assert weights(TEXT, 2) == {"cat": 1.0, "dog": 0.67}


def test_weights_empty():
    assert weights("") == {}
