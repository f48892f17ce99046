"""The base of `make learn`: what it is pretrained on, and by what."""

from __future__ import annotations

from itertools import islice

import pytest

from suture_training.learn.tiny import MARKS, TinySettings, texts


def test_texts_are_the_same_every_time_and_most_have_an_answer():
    first, again = ([*islice(texts(TinySettings()), 300)] for _ in range(2))
    assert first == again
    assert 0.7 < sum(bool(text.answer) for text in first) / len(first) < 0.95


def test_a_question_ends_where_its_answer_begins():
    for text in islice(texts(TinySettings()), 300):
        if text.about.startswith(MARKS[1]):
            assert text.about.endswith(f"{MARKS[1]}assistant\n")
            assert text.answer.endswith(f"{MARKS[2]}\n")
        elif text.answer:
            assert text.about.endswith(" in line ")


def test_singular_values_become_alike():
    torch = pytest.importorskip("torch")
    from suture_training.learn.muon import orthogonal

    torch.manual_seed(0)
    for shape in ((16, 48), (48, 16), (16, 16)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape) * 7))
        assert 0.3 < float(values.min()) <= float(values.max()) < 1.3


def test_muon_finds_a_matrix():
    torch = pytest.importorskip("torch")
    from suture_training.learn.muon import Muon

    torch.manual_seed(0)
    wanted = torch.randn(8, 4)
    matrix = torch.zeros(8, 4, requires_grad=True)
    muon = Muon([matrix])
    before = float((matrix.detach() - wanted).square().sum())
    for step in range(200):
        matrix.grad = None
        (matrix - wanted).square().sum().backward()
        muon.step(0.2 * (1 - step / 200))
    assert float((matrix.detach() - wanted).square().sum()) < before / 100
