"""Flaky tests: finding them by running the same text under different circumstances, and keeping them from deciding anything alone.

`perturb` says how a run can differ without a change of the text, `hunt` runs a check under many such circumstances and counts, `weigh`
tells a test that a patch broke from one that was flaky before, and `shake` whether a pass holds. `plugin_program` and `shaker_program` run
inside attempts. What is known from earlier runs (the quarantine) is kept by the floor above and handed in.
"""
