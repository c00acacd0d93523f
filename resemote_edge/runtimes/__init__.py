"""Runtimes: engine families that run artifacts, behind one `Session` interface."""
