"""What does tasks of a run in several processes. Nothing here knows what a task is about."""
