"""Rows of derivatives for residuals that loop over elements, and their traces."""
