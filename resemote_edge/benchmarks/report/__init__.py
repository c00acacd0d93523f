"""Reports: the same rows as HTML, CSV, Markdown and pictures."""
