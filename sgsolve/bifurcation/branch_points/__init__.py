"""Branch points: detect and locate them, and find the branches that leave there."""
