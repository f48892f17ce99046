import pytest

from rollout.flags import Flag, Flags, bucket_of

USERS = [f"user{number}" for number in range(2000)]


def in_buckets(feature, numbers):
    return [user for user in USERS if bucket_of(feature, user) in numbers]


def test_nobody():
    flag = Flag("search", percent=0)
    assert [user for user in USERS if flag.is_on(user)] == []


def test_everybody():
    flag = Flag("search", percent=100)
    assert all(flag.is_on(user) for user in USERS)


@pytest.mark.parametrize("percent", [1, 25, 50, 99])
def test_share(percent):
    flag = Flag("search", percent=percent)
    assert [user for user in USERS if flag.is_on(user)] == in_buckets("search", range(percent))


def test_raising_the_share_keeps_users():
    before = {user for user in USERS if Flag("menu", 20).is_on(user)}
    after = {user for user in USERS if Flag("menu", 30).is_on(user)}
    assert before < after


def test_allowed_user_needs_no_share():
    user = in_buckets("search", {99})[0]
    assert Flag("search", 10, allowed={user}).is_on(user)


def test_block_wins():
    assert not Flag("search", 100, allowed={"ann"}, blocked={"ann"}).is_on("ann")


def test_percentage_is_checked():
    with pytest.raises(ValueError, match="101 is not a percentage"):
        Flag("search", 101)


def test_features_of_a_user():
    flags = Flags(Flag("b", 100), Flag("a", 100), Flag("c", 100, blocked={"ann"}))
    assert flags.features("ann") == ["a", "b"]
    assert not flags.is_on("d", "ann")
