"""The package's exception."""


class Error(Exception):
    """Something the user can put right; the message says what and where."""
