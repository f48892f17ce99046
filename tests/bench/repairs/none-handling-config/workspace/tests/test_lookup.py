from layers.lookup import dig, first, put

USER = {"editor": {"tab": 2}}
SYSTEM = {"editor": {"tab": 8, "theme": {"name": "dark"}}, "shell": "sh"}


def test_top_level():
    assert dig(SYSTEM, "shell") == "sh"


def test_nested():
    assert dig(SYSTEM, "editor.theme.name") == "dark"


def test_missing_leaf():
    assert dig(USER, "editor.font") is None


def test_missing_section():
    assert dig(USER, "terminal.font.size") is None


def test_first_prefers_earlier_layers():
    assert first([USER, SYSTEM], "editor.tab") == 2


def test_first_falls_through():
    assert first([USER, SYSTEM], "editor.theme.name") == "dark"


def test_first_default():
    assert first([USER], "shell", "bash") == "bash"


def test_put():
    data = {}
    put(data, "a.b.c", 1)
    put(data, "a.d", 2)
    assert data == {"a": {"b": {"c": 1}, "d": 2}}
