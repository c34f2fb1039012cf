"""`doctor`: the same check that the operator's Pod has, from a workstation."""

import argparse
from typing import Annotated

import typer

from clouddatamesh.cli.app import app
from clouddatamesh.doctor.arguments import add_arguments

_PASSED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command("doctor", context_settings=_PASSED)
def doctor(context: typer.Context, ask: Annotated[bool, typer.Option("--help", "-h")] = False) -> None:
    """Check the installation: permissions, versions, stores, leader, watches, objects that are stuck. It only reads."""
    parser = argparse.ArgumentParser(prog="kubectl mesh doctor", description=doctor.__doc__)
    add_arguments(parser)
    arguments = parser.parse_args([*(["--help"] if ask else []), *context.args])
    from clouddatamesh.doctor.command import run

    raise typer.Exit(run(arguments))
