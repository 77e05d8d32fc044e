"""Models that a device is made of: statistics, mobility, recombination, contacts, traps, ions."""
