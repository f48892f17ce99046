"""Bank accounts."""
