"""Vision: what a picture is before a network sees it: frames, files, exact preprocessing, and drawn faces."""
