"""What fixes the potentials: contacts and surfaces, neutrality, and regions without a contact."""
