"""The guest side of Litterbox: what runs inside a box as `/litterbox`."""
