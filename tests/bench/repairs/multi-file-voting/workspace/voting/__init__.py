from voting.ballots import Ballot, read_ballots
from voting.runoff import winner
from voting.turnout import summary

__all__ = ["Ballot", "read_ballots", "summary", "winner"]
