"""Floor 3: datasets, SFT, RL, preferences, evaluation matrix, adapters, task synthesis.

Nothing is built on this floor yet: the journal (`suture_agent.journal`) already records what it will train on. The package exists so that
the floors and the `train` extra are fixed from the first release.
"""
