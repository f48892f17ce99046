from raffle.draw import Raffle, teams

PEOPLE = ["ann", "bob", "cy", "dora", "eve", "finn"]


def make(seed=1):
    raffle = Raffle(seed)
    raffle.enter(PEOPLE)
    return raffle


def test_draw():
    drawn = make().draw(2)
    assert len(set(drawn)) == 2
    assert set(drawn) <= set(PEOPLE)


def test_same_seed_same_winners():
    other = Raffle(7)
    for person in reversed(PEOPLE):
        other.enter([person])
    assert make(7).draw(4) == other.draw(4)


def test_draw_does_not_depend_on_the_hash_seed():
    assert make(3).draw(3) == ["bob", "eve", "finn"]


def test_nobody_wins_twice():
    raffle = make()
    winners = raffle.draw(3) + raffle.draw(3)
    assert sorted(winners) == PEOPLE
    assert raffle.winners == winners


def test_more_prizes_than_people():
    raffle = make()
    assert sorted(raffle.draw(10)) == PEOPLE
    assert raffle.draw(1) == []


def test_one_chance_each():
    raffle = Raffle(1)
    raffle.enter(["Ann", "ann ", "BOB"])
    assert raffle.left() == ["ann", "bob"]


def test_left_after_a_draw():
    raffle = make()
    drawn = raffle.draw(5)
    assert raffle.left() == [person for person in PEOPLE if person not in drawn]


def test_teams():
    made = teams(PEOPLE, 4, seed=2)
    assert [len(team) for team in made] == [4, 2]
    assert sorted(sum(made, [])) == PEOPLE


def test_no_teams():
    assert teams([], 3, seed=2) == []
