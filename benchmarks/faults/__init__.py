"""Faults put into good pairs on purpose, and how many of them the filters find."""
