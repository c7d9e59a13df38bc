"""From results to sheets and text files."""
