"""The journal: the local record of problems, episodes, patches, verdicts, offers and decisions, in one SQLite file.

It is owner-readable only, and secrets are taken out before anything is written. It is not a log, not a cache, and never leaves the machine.
"""
