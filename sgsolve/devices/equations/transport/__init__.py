"""Currents of carriers, what generates and heats along them, and the currents of terminals."""
