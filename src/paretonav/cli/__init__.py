"""The command ``paretonav``."""

from paretonav.cli.app import app, help_of
from paretonav.cli.cockpit import cockpit
from paretonav.cli.doctor import doctor
from paretonav.cli.keep import copy, prune
from paretonav.cli.look import compare, export, plot, show
from paretonav.cli.navigate import demo, run

for command in (demo, run, cockpit, doctor, show, compare, export, plot, prune, copy):
    app.command()(command)
app.command("help")(help_of)


def main() -> None:
    """Run the command line."""
    app()


__all__ = ["app", "main"]
