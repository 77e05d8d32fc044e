"""A user's residual as systems of equations: arguments checked, parameters bound."""
