"""What NumPy gets where it asks an AD array for plain numbers: a stand-in, or an error."""
