"""From a table to webhooks and problems."""
