"""Families of one problem: members with parameters of their own, solved together."""
