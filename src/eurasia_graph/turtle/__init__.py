"""Turtle: read it with places, write it in one canonical form, never change what it says."""
