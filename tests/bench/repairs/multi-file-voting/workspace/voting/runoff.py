"""Instant-runoff counting."""


def first_choices(ballots, standing):
    """Votes of each candidate who still stands; a ballot goes to the best ranked one of them."""
    votes = dict.fromkeys(sorted(standing), 0)
    for ballot in ballots:
        choice = next((name for name in ballot.ranking if name in standing), None)
        if choice is not None:
            votes[choice] += 1
    return votes


def winner(ballots):
    """Who has more than half of the votes left in the count; until then the last one drops out, on a tie the later name."""
    standing = {name for ballot in ballots for name in ballot.ranking}
    while standing:
        votes = first_choices(ballots, standing)
        leader = max(votes, key=votes.get)
        if 2 * votes[leader] > sum(votes.values()) or len(standing) == 1:
            return leader
        standing.remove(min(reversed(votes), key=votes.get))
    return None
