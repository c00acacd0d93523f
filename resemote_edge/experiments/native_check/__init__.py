"""The native library's check: what it costs, what it saves, and whether it gives what Python gives."""
