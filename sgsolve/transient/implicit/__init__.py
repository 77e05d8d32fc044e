"""The implicit equation of a step or a stage, and Newton's method with a kept matrix for it."""
