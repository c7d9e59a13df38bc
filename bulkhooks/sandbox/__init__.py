"""A local server that behaves like Nexudus; it shares no code with the client that is tried on it."""
