"""`litterbox build`: a box's image and container."""

import click


@click.command(short_help="Build a box's image and container.")
@click.argument("name")
@click.option("--rebuild", is_flag=True, help="Build every layer anew, on the newest base image.")
def command(name: str, *, rebuild: bool) -> None:
    """Build the image of the box NAME from its Dockerfile, and make its container with its settings.

    The home of the box is kept. The build runs with USER, UID and GID as build arguments; COPY takes files from the
    folder of definitions.
    """
    from litterbox.container.build import build  # start-up budget

    build(name, rebuild=rebuild, report=lambda words: click.echo(f"litterbox: {words}", err=True))
    click.echo(f"Built {name}. Next: litterbox enter {name}", err=True)
