"""Curves of solutions while one parameter changes: continuation, and other branches."""
