"""Functions of single elements: special, composed, with a choice, from tables, or of the user."""
