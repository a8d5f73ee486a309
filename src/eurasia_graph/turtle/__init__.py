"""Turtle: read it with locations, and write it in one canonical form without changing its meaning."""
