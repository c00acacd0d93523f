"""Views: tables for people, on the terminal."""
