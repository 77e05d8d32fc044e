"""Newton's method for many members of a family at once."""
