"""Makes the prebuilt artifact that the wheel carries."""
