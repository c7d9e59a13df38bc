"""A run whose accounts are sent by other processes: which, how the accounts are shared out, what each does."""
