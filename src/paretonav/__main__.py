"""The command ``paretonav``, also as ``python -m paretonav``."""

from __future__ import annotations

import sys

from paretonav.errors import MissingExtraError, needing


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        with needing("cli", "the command paretonav"):
            from paretonav.cli import main as run
    except MissingExtraError as error:
        sys.exit(str(error))
    run()


if __name__ == "__main__":
    main()
