"""The engine: compares the wish with the server, sends under the limits, and remembers."""
