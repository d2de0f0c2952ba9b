"""A group of commands that has short aliases, and answers the name of no command with a similar one."""

import click

ALIASES = {"ls": "list", "rm": "delete"}


class SuggestingGroup(click.Group):
    """A click group in which `ls` and `rm` mean `list` and `delete`, where the group has these commands."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name or alias; None where there is none."""
        return self.find(ctx, ALIASES.get(cmd_name, cmd_name))

    def find(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command with exactly this name; None where there is none."""
        return super().get_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return what click runs. Raises click.UsageError, which names the most similar command, if there is one."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"No such command {name!r}.{self.suggestion(ctx, name)}")
        return super().resolve_command(ctx, args)

    def suggestion(self, ctx: click.Context, name: str) -> str:
        """Return what follows the sentence that there is no such command: a space and a sentence, or nothing."""
        import difflib  # only a mistake needs it

        similar = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
        return f" Did you mean {similar[0]!r}?" if similar else ""
