"""The examples at the end of each command's help."""


def examples(*lines: str) -> str:
    """Return the epilog of a click command that shows these command lines, each on a line of its own."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])  # click does not wrap a paragraph after \b
