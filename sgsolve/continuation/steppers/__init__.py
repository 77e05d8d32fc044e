"""How runs step: settings and steppers of natural and of pseudo-arclength continuation."""
