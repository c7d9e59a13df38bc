"""The options of a job, from flags, environment and job files."""
