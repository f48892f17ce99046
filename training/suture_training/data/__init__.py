"""Datasets: what the journal and rollouts hold, as rows that trainers take; one environment, one harness, no secrets, nothing held out."""
