"""The guest side of Litterbox: what runs inside a box as `/litterbox`."""

__version__ = "0.1.0"
