"""bulkhooks: creates Nexudus webhooks from a spreadsheet, never twice, never lost."""

__version__ = "0.1.0"
