from leaderboard.board import Board


def make(**points):
    board = Board()
    for player, number in points.items():
        board.add(player, number)
    return board


def names(board):
    return [score.player for score in board.ranking()]


def test_highest_first():
    assert names(make(ann=10, bob=30, cy=20)) == ["bob", "cy", "ann"]


def test_equal_scores_by_name():
    assert names(make(cy=5, ann=5, bob=9, dee=5)) == ["bob", "ann", "cy", "dee"]


def test_points_add_up():
    board = make(ann=1)
    board.add("ann", 4)
    assert board.ranking()[0].points == 5


def test_places():
    assert make(ann=10, bob=30, cy=30).places() == {"bob": 1, "cy": 1, "ann": 3}


def test_empty():
    assert make().ranking() == []
    assert make().places() == {}
