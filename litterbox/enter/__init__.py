"""The flow of entering a box: its order, its locks, its fast path."""
