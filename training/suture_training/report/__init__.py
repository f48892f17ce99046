"""Reports: one self-contained page a run. No script, nothing remote, nothing that a workspace or a policy wrote is more than text."""
