"""Burnish over HTTP: the page, the API that restores files, and the same page as static files."""
