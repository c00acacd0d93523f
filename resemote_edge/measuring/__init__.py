"""Measuring: how something is measured on this machine, in processes of its own; makes nothing, reports nothing."""
