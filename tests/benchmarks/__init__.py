"""How fast the project is beside named others, measured: ``python -m tests.benchmarks``."""
