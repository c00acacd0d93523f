"""Faces: which faces are in a picture, and for how long."""
