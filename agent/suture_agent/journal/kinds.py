"""The words that records of offers use; apart from the store, for those who only speak of them."""

from __future__ import annotations

from typing import Literal

DecisionKind = Literal[
    "accepted", "accepted_with_edits", "rejected", "rejected_with_correction", "reverted", "ignored", "expired", "withdrawn"
]
"""What became of an offer (DESIGN, "Words")."""
Shown = Literal["action", "message", "notification"]
"""How an offer is shown: as a code action, in a message, by a `suture/offer` notification."""
Source = Literal["told", "inferred"]
"""Where a decision is known from: the client told it, or what it did with the text says it."""
Moment = Literal["save", "30s", "5min", "15min", "commit"]
"""When it is measured how much of an accepted patch is still there."""
