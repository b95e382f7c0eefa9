"""The addresses of the API; each handler gathers, lets a pure function decide, and applies."""
