"""Compiles ternary language models and runs them."""

__version__ = "0.1.0"
