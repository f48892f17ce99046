from datetime import datetime, timedelta, timezone

from newsdesk.article import Article
from newsdesk.desk import Desk

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def record(title, created="2024-05-01T06:00Z", **more):
    return {"title": title, "created": created, **more}


def desk(*records):
    return Desk([Article.from_record(each) for each in records])


def test_without_embargo():
    assert desk(record("a")).public(NOON) == ["a"]


def test_embargo_in_another_zone():
    articles = desk(record("early", embargo="2024-05-01T13:00+02:00"), record("late", embargo="2024-05-01T11:00-05:00"))
    assert articles.public(NOON) == ["early"]


def test_embargo_without_a_zone():
    articles = desk(record("over", embargo="2024-05-01T12:00"), record("held", embargo="2024-05-01T12:01"))
    assert articles.public(NOON) == ["over"]


def test_latest_first():
    articles = desk(record("old", created="2024-04-30T23:00+00:00"), record("new", created="2024-05-01T01:30+02:00"))
    assert articles.public(NOON) == ["new", "old"]


def test_fresh():
    articles = desk(record("old", created="2024-04-29T23:00Z"), record("new", created="2024-04-30T23:00Z"))
    assert articles.fresh(NOON) == ["new"]


def test_created_now():
    articles = desk({"title": "draft"}, record("wire", created="2024-05-01T06:00Z"))
    assert articles.fresh(datetime.now(timezone.utc)) == ["draft"]
    assert articles.public() == ["draft", "wire"]


def test_creation_time_is_about_now():
    created = Article("draft").created
    assert abs(datetime.now(timezone.utc) - created) < timedelta(minutes=1)


def test_embargoes():
    assert desk(record("a"), record("b", embargo="2024-05-02T00:00+02:00")).embargoes() == ["b: 2024-05-01 22:00 UTC"]
