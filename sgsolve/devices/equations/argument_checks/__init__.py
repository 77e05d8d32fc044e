"""Checks of the arguments, parameters and parts of a device: types, ranges and units."""
