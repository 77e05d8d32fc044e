"""Curves of folds and of Hopf points while two parameters change."""
