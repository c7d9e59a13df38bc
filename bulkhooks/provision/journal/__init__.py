"""The memory of runs: what was planned, what is on its way, what became of it."""
