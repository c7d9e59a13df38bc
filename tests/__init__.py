"""Tests mirror the rooms of ``bulkhooks/``; what their processes share is here."""

import signal

# A shell ignores these for what it starts in the background, and so would every process that a test sends them to.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
