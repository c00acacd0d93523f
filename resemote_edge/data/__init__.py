"""Datasets of face images, drawn stand-in faces, and the places to look for real ones."""
