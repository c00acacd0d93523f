"""Tables in documents, generated from committed results."""
