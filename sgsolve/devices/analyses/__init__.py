"""What is done with a finished device: drives, small signals, derivatives, pictures."""
