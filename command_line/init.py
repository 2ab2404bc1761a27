"""`fullbake init`: makes a config from a data file, or from a folder that Hugging Face's datasets saved."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from fullbake.command_line.options import PATH, check_approach, json_option, quiet_option
from fullbake.command_line.terminal import print_json
from fullbake.pipeline.output_file import check_new, write_new


@click.command()
@click.argument("data", metavar="DATA", type=PATH)
@click.option("--text", "text_column", required=True, help="The column with the text.")
@click.option(
    "--label",
    "label_columns",
    multiple=True,
    help="The column with the label, or with several in a cell. Named more than once: columns that each say of one "
    "label whether a text has it; where no column is named, such columns are looked for.",
)
@click.option(
    "--label-from",
    type=click.Choice(["filename", "folder"]),
    help="The labels are the names of the files, a file to each class, or of the folders that the texts are in.",
)
@click.option(
    "--labels-file",
    type=click.Path(),
    metavar="FILE",
    help="The labels are in this file: line by line or, with --id, in its column --label.",
)
@click.option("--id", "id_column", help="The column that DATA and the file with the labels have in common.")
@click.option("--text-pair", "text_pair_column", help="The column with the second text of a pair.")
@click.option(
    "--base", metavar="BASE", help="The base model, as model.base takes it.  [default: distilbert-base-uncased]"
)
@click.option("--approach", metavar="NAME", help="How it is trained, as model.approach says.  [default: fine_tune]")
@click.option(
    "--output",
    type=PATH,
    metavar="CONFIG.yaml",
    help="Where the config goes; a file that is there is not overwritten.  [default: it is printed]",
)
@json_option
@quiet_option
def init(
    data: Path,
    text_column: str,
    label_columns: tuple[str, ...],
    label_from: str | None,
    labels_file: str | None,
    id_column: str | None,
    text_pair_column: str | None,
    base: str | None,
    approach: str | None,
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a config from a file of labelled text: its labels, their balance, and a maximum length that fits.

    Tokens are counted with the base's tokenizer if that is on this machine, and else estimated; nothing is fetched.

    Rather than redirecting what is printed, which empties a config that is there even if nothing comes of it, name the
    file: fullbake init comments.csv --text comment --label verdict --output comments.yaml
    """
    del quiet  # there is no progress; scripts may say so to every command
    from fullbake.pipeline.first_config.first_config import make_first_config

    if output is not None:
        check_new(output, "--output")
    if approach is not None:
        check_approach(approach)
    model = {name: value for name, value in (("base", base), ("approach", approach)) if value is not None}
    config = make_first_config(
        data,
        text_column,
        label_columns,
        text_pair_column,
        label_from=label_from or "column",
        labels_file=labels_file,
        id_column=id_column,
        **model,
    )
    if output is not None:
        write_new(output, config, "--output")
    if as_json:
        import yaml

        print_json({"output": None if output is None else str(output), "config": yaml.safe_load(config)})
        return
    if output is None:
        click.echo(config, nl=False)
        return
    click.echo(f"{output}: read it, then: fullbake run {shlex.quote(str(output))}")
