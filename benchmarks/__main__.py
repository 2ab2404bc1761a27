"""`python -m benchmarks [NAME ...]`: runs the benchmarks, each in a process of its own, and prints a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.results import Result

NAMES = (
    "tokenizing",
    "utilisation",
    "training",
    "frozen",
    "serving",
    "server",
    "evaluator",
    "whole_run",
    "growth",
    "quality",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(names: tuple[str, ...]) -> None:
    """Run the benchmarks, or those named, and print what came out."""
    console = Console(stderr=True, highlight=False)
    results = []
    for name in names or NAMES:
        console.print(f"{name} ...")
        command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
        output, errors = process.communicate()
        found = [result for line in output.splitlines() if (result := Result.read(line))]
        for result in found:
            console.print(f"  {result.what}: {result.value:.3g} {result.unit} ({result.detail})", soft_wrap=True)
        if process.returncode:
            console.print(errors[-3000:], soft_wrap=True)
            raise SystemExit(1)
        results += found
    print_table(results)


def print_table(results: list[Result]) -> None:
    """Prints all that was found, with what it should have reached."""
    table = Table("what", "measured", "should be", "", "from")
    for column in table.columns[1:3]:
        column.justify = "right"
    for result in results:
        bound = "" if result.bound is None else f"{'≤' if result.at_most else '≥'} {result.bound:g}"
        verdict = {None: "", True: "reached", False: "not reached"}[result.reached]
        table.add_row(result.what, f"{result.value:.3g} {result.unit}", bound, verdict, result.detail)
    Console(highlight=False, width=None if sys.stdout.isatty() else 180).print(table)


if __name__ == "__main__":
    main()
