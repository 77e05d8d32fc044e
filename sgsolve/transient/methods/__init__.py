"""The methods in time: BDF, implicit Runge-Kutta and fixed steps, with their settings."""
