"""The journal in a database of PostgreSQL, which several machines share."""
