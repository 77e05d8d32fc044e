"""Meshes of devices: nodes, edges, couples and volumes in one to three dimensions, and regions."""
