"""Where rows come from, one file each: proven episodes, accepted and rejected fixes, corrections of people, rollouts of a run."""
