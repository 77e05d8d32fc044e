"""Solves of the equations of a device: from nothing, along a voltage, and in time."""
