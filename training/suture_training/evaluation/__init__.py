"""Evaluation: how well policies repair, in which environment and harness, and what a mismatch between training and use costs."""
