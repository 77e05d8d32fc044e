"""Assignment to elements, in place and through views, and the arrays that are assigned to."""
