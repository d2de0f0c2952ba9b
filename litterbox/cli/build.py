"""`litterbox build`: a box's image and container."""

import click

from litterbox.cli import complete_names
from litterbox.cli.examples import examples


@click.command(
    short_help="Build a box's image and container.",
    epilog=examples("litterbox build work", "litterbox build work --rebuild"),
)
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("--rebuild", is_flag=True, help="Build every layer anew, on the newest base image.")
@click.option("--allow-onbuild", is_flag=True, help="Let base images run build steps of their own (ONBUILD).")
@click.option("--http-proxy", is_flag=True, help="Let the build see this computer's proxy variables.")
def command(name: str, *, rebuild: bool, allow_onbuild: bool, http_proxy: bool) -> None:
    """Build the image of the box NAME from its Dockerfile, and make its container with its settings.

    The home of the box is kept. The build runs with USER, UID and GID as build arguments; COPY takes files from the
    folder of the Dockerfile, definitions/NAME.
    """
    from litterbox.container.build import build  # start-up budget

    build(
        name,
        rebuild=rebuild,
        report=lambda words: click.echo(f"litterbox: {words}", err=True),
        allow_onbuild=allow_onbuild,
        http_proxy=http_proxy,
    )
    click.echo(f"Built {name}. Next: litterbox enter {name}", err=True)
