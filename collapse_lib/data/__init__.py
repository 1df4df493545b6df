"""The text and the pictures that the book reads, and how files are found or fetched."""
