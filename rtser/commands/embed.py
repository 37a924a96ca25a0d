"""``rtser embed``: the embeddings of recordings, for programs that learn from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtser.commands.file import recognise_files
from rtser.commands.options import (
    ChannelOption,
    FilesArgument,
    Recognition,
    keep_apart,
    make_session,
    with_recognition,
)
from rtser.commands.process import failures, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.commands.raw_options import ChannelsOption, FormatOption, RateOption, raw_settings
from rtser.commands.signals import signals


@with_recognition
def embed(
    options: Recognition,
    paths: FilesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write (.npz or .parquet).")],
    channel: ChannelOption = None,
    format_: FormatOption = None,
    rate: RateOption = None,
    channels: ChannelsOption = None,
) -> None:
    """Write the embeddings of audio files: one for every segment, and one for every utterance.

    The embedding of an utterance is the mean over its segments, weighted by the network's attention.

    A .npz file holds arrays of N files, S segments and U utterances, with F numbers in an embedding:

    model (): SHA-256 of the model file

    files (N,): names of the audio files

    segment_file (S,), utterance_file (U,): index of the audio file in files

    segment_time (S,): end of the segment in seconds

    segment_speech, segment_speaking, segment_salience (S,)

    utterance_start, utterance_end (U,): in seconds

    segment_label (S,), utterance_label (U,): empty where no emotion is named

    segment_embedding (S, F), utterance_embedding (U, F)

    A .parquet file (it needs the package pyarrow) holds one table. Its columns are kind (segment or utterance),
    file, start, end, label and embedding; segments also have speech, speaking and salience.

    Examples:
        rtser embed *.flac -o table.npz
        rtser embed call.wav -o table.parquet --channel 0
    """
    single_threaded()
    with failures() as fail, quiet_libraries(), signals(fail.say) as asked:
        settings, raw = options.of_files(channel), raw_settings(format_, rate, channels)
        keep_apart([output], [*map(Path, paths), settings.model, options.config])
        from rtser.files import replacing
        from rtser.sinks.embedding_table import EmbeddingTable, check_table

        check_table(output)
        session = make_session(settings, embeddings=True)
        table = EmbeddingTable(session.window)
        with replacing(output) as part:
            part.touch()  # a file that cannot be written fails now, not after the work
            recognise_files(session, paths, settings.channel, [table], asked.stop, fail, raw)
            if asked.stop.is_set():
                raise KeyboardInterrupt
            if not len(table):
                raise typer.Exit(fail.noted[0].exit_code)
            table.save(part)
        typer.echo(output)
