"""Floor 1: environment, checks, report parsers, findings, backends, verdict, guard.

What it is: everything needed to say, of a workspace and a patch, which checks fail and whether the patch makes them pass, inside a
sandbox that contains whatever the workspace and the patch may do. What it deliberately is not: it knows no policy, no journal and no
editor; nothing here imports from a higher floor.
"""
