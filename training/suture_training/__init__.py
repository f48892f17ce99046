"""Floor 3: datasets, SFT, RL, preferences, evaluation matrix, adapters, task synthesis."""
