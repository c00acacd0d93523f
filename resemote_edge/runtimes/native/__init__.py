"""The native library, libresemote, from Python: its C ABI through ctypes."""
