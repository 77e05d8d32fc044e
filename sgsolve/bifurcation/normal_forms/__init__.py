"""Normal forms: coefficients that tell what solutions are like beside a special point."""
