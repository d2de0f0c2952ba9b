"""`litterbox completion`: the script that lets a shell complete commands, options and names."""

import click
from click import shell_completion

from litterbox.cli.examples import examples


@click.command(
    short_help="Print the completion script of a shell.",
    epilog=examples("litterbox completion bash", "litterbox completion fish"),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete commands, options, boxes, keys, templates and settings.

    Save what it prints where your shell looks for such scripts:

    \b
        bash  ~/.local/share/bash-completion/completions/litterbox
        zsh   a file called _litterbox in a folder of $fpath
        fish  ~/.config/fish/completions/litterbox.fish
    """  # noqa: D301 - click reads the backspace
    complete = shell_completion.get_completion_class(shell)
    assert complete is not None  # click has these three
    click.echo(complete(context.find_root().command, {}, "litterbox", "_LITTERBOX_COMPLETE").source())
