"""Litterbox: isolated development environments behind doors that the user controls."""

__version__ = "0.1.0"
