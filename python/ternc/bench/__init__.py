"""Measures compiled models of published shapes: `python3 -m ternc.bench`."""
