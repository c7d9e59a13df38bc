"""The engine: compares the desired with the server, sends under the limits, and remembers."""
