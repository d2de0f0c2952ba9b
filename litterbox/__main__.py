"""The program `litterbox`: the short ways first, click for everything else, and every error as its sentence.

`enter NAME [COMMAND…]`, `list` and `--version` must start in milliseconds, so they reach their room without click;
with any option they take the long way and mean the same.
"""

import sys

from litterbox import __version__, standard
from litterbox.errors import ENTER_FAILED, INTERRUPTED, LitterboxError


def main() -> int:
    """Run one command line; returns its exit status."""
    standard.prepare()
    arguments = sys.argv[1:]
    entering = arguments[:1] == ["enter"]
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except LitterboxError as error:
        say(error)
        return ENTER_FAILED if entering else error.status
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has gone; there is nobody to tell
        return LitterboxError.status
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        say(LitterboxError(f"The system refused: {error.strerror}{where}."))
        return ENTER_FAILED if entering else LitterboxError.status
    return status


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        print(f"litterbox {__version__}")
        return 0
    if arguments in (["list"], ["ls"]):
        from litterbox.cli import listing  # start-up budget

        listing.show(as_json=False)
        return 0
    if len(arguments) > 1 and arguments[0] == "enter" and not arguments[1].startswith("-"):
        name, *command = arguments[1:]
        if command[:1] == ["--"]:
            del command[0]
        elif command and command[0].startswith("-"):
            name = ""
        if name:
            from litterbox.enter.flow import enter  # start-up budget

            enter(name, command=command)
    from litterbox.cli.main import run  # start-up budget

    return run(arguments)


def say(error: LitterboxError) -> None:
    """Print an error as the user reads it: what is wrong, then the way out."""
    print(f"litterbox: {error.sentence}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
