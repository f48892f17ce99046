"""Figures for the minutes of the meeting."""


def blank(ballots):
    """The number of voters who ranked nobody."""
    return sum(not ballot.ranking for ballot in ballots)


def summary(ballots, entitled):
    cast = len(ballots)
    if cast > entitled:
        raise ValueError(f"{cast} votes were cast by {entitled} people")
    return f"{cast} of {entitled} voted ({100 * cast / entitled:.0f} %), {blank(ballots)} blank"
