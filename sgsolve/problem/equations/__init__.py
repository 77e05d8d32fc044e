"""The equations of a problem: their definition, values, Jacobians and derivatives by parameters."""
