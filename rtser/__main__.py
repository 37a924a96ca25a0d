"""``rtser`` and ``python -m rtser``: the command line."""

import os


def main() -> None:
    """Run the command line; an interrupt while it is still being loaded ends it as quietly as a later one."""
    try:
        from rtser.commands.app import app

        app(prog_name="rtser")
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    main()
