"""``rtser serve``: many streams over the network."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from rtser.commands.completion import serve_setting_names
from rtser.commands.options import ModelOption, ProviderOption, set_option
from rtser.commands.origins import SERVE_OPTIONS, by_setting, layers
from rtser.commands.process import failures, packages, single_threaded


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free port; default 8765.")] = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that clients need; or set RTSER_TOKEN.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Serve beyond this machine without a token.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="PEM file with the certificate chain, for TLS.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file with its private key.")] = None,
    streams: Annotated[
        int | None, typer.Option(help="Most live streams at once; more are refused; default 200.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="YAML file of settings.")] = None,
    set_: Annotated[list[str] | None, set_option("limits.idle_s=60", serve_setting_names)] = None,
    write_page: Annotated[
        Path | None,
        typer.Option(help="Write the web page and the model into this folder, for any web server, then end."),
    ] = None,
) -> None:
    """Recognise many live streams over WebSockets, and files over HTTP. By default only this machine can connect.

    Examples:
        rtser serve
        rtser serve --host 0.0.0.0 --token-file token.txt
        rtser serve --config server.yaml --set limits.streams=50
    """
    given = locals()
    single_threaded()
    with failures() as fail, packages("serve"):
        from rtser.models import default_model_path, load
        from rtser.serve.server import serve as run
        from rtser.serve.settings import ServeSettings

        settings = layers(config, set_ or [], by_setting(given, SERVE_OPTIONS)).checked(ServeSettings)
        file = settings.model or default_model_path()
        loaded = load(file, settings.provider, settings.threads)
        if write_page is not None:
            from rtser.serve.page import write_page as write

            write(write_page, loaded, file)
            typer.echo(str(write_page))
            if not (write_page / "ort").exists():
                problem = "the page has no onnxruntime-web, so it cannot recognise by itself"
                fail.say(f"{problem}; run tools/get_web_runtime.sh first.")
            return
        if run(settings, loaded, file, lambda address: typer.echo(f"rtser serves {address}")) == signal.SIGINT:
            raise KeyboardInterrupt
