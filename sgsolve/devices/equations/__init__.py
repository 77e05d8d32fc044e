"""The equations of a device as a residual, from its model, with their checks and currents."""
