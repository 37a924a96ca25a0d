"""``rtser`` and ``python -m rtser``: the command line."""

import os
import signal
import sys


def main() -> None:
    """Run the command line.

    An interrupt ends the program at once, also in the middle of an import or of PortAudio's start, where an exception
    would be taken for a failure of theirs. Commands that have something to finish set a handler of their own.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    try:
        from rtser.commands.app import run

        sys.exit(run())
    except KeyboardInterrupt:
        os._exit(130)
    except OSError as error:
        os.write(2, f"rtser: standard output cannot be written ({error.strerror or error}).\n".encode())
        os._exit(6)


if __name__ == "__main__":
    main()
