"""Detector check: how small a face each prebuilt detector finds in each runtime, and how long it takes."""
