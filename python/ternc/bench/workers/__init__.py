"""Scripts that run in a peer's own Python environment, where ternc is not installed:
each reads one JSON object on stdin and ends with one on stdout."""
