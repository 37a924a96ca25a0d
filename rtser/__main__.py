"""``python -m rtser``: the command line."""

from rtser.cli import app

app(prog_name="rtser")
