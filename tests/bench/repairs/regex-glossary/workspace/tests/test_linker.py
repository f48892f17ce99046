from glossary.linker import Linker
from glossary.terms import Term

LINKER = Linker([Term("bow", "front"), Term("bow line", "rope"), Term("jib", "sail"), Term("lee", "side")])


def test_link():
    assert LINKER.link("Set the jib!") == "Set the [jib](#jib)!"


def test_any_case():
    assert LINKER.link("Jib and LEE") == "[Jib](#jib) and [LEE](#lee)"


def test_the_longer_term_wins():
    assert LINKER.link("Coil the bow line.") == "Coil the [bow line](#bow-line)."


def test_parts_of_words_are_not_linked():
    assert LINKER.link("Elbows on the table, sleepy crew.") == "Elbows on the table, sleepy crew."
    assert LINKER.link("They jibed in the rain.") == "They jibed in the rain."


def test_used():
    assert LINKER.used("The lee bow, then the jib, then the lee again") == ["bow", "jib", "lee"]


def test_unused():
    assert LINKER.unused("The jib and the bow") == ["bow line", "lee"]


def test_used_ignores_parts_of_words():
    assert LINKER.used("Jibes and rainbows, but one bow line") == ["bow line"]


def test_an_empty_glossary():
    assert Linker([]).link("the jib") == "the jib"
    assert Linker([]).used("the jib") == []
