"""What a person or a machine sees of the program."""
