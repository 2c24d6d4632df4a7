"""The version of the package, and of the project."""

__version__ = "0.1.0"
