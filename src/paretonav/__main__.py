"""``python -m paretonav`` is the command ``paretonav``."""

from paretonav.cli import main

if __name__ == "__main__":
    main()
