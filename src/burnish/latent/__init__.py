"""What the numbers inside a picture are good for: seeing many at once, storing them small, and finding the odd ones out."""
