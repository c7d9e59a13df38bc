"""How many requests an account may send, and when: its limits, and who goes first while the API is silent."""
