"""Settings that hold for a while."""
