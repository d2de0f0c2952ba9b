"""Litterbox: isolated development environments behind doors that the user controls."""

from litterbox_guest import __version__

__all__ = ["__version__"]
