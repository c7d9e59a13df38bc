"""What a job is told: flags, environment, job files."""
