"""A local server that behaves like Nexudus; it shares no code with the client that is tried on it.

A request goes ``connection -> gate (limits, tokens, faults) -> app (validation, search) -> store``; an event goes
``app -> delivery -> store``. ``server`` puts these together, ``options`` reads their options.
"""
