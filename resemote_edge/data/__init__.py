"""Datasets of face images, drawn stand-in faces, and where to look for real ones."""
