"""Codecs in process, chains of them, and how much each hurts."""
