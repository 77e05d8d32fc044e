"""Runs in time, their outputs and their derivatives."""
