"""Floor 2: problem, tools, policies, episode, pipelines, recall, journal, batch.

What it is: `repair.repair`, the one path by which anything in suture is ever repaired, and what it needs. What it deliberately is not: it
knows no editor and no trainer; the language server, the command line, data collection and rollouts all come here.
"""
