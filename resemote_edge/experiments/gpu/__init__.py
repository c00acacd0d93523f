"""What a GPU does with each graph and precision, and what it could do at best."""
