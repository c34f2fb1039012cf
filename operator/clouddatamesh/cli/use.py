"""`use`: the key of granted access, as variables or for one command."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.names import parse, short, written
from clouddatamesh.cli.output import Form, print_data
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key
from clouddatamesh.view.health import health_of
from clouddatamesh.view.usage import environment, fields_of

_OTHERS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""Of another login, which every client would send with this key; the store refuses that."""
Run = Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND…]", help="Command to run; absent: print `export` lines.")]


@command("use")
def use(
    session: Session,
    options: Options,
    request: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME of your request.")],
    run: Run = None,
) -> None:  # fmt: skip
    """Use granted access: run a command with the key in its environment, or print lines for `eval`."""
    key = parse(session, request, "AccessRequest")
    fields = _fields(session, key)
    if run:
        code = _run(fields, run)
        raise typer.Exit(code)
    lines = environment({name: said for name, said in fields.items() if name != "ca.crt"}, "", "")
    lines.pop("SERVICE_BINDING_ROOT", None)
    if options.output in (Form.JSON, Form.YAML):
        print_data(lines, options.output)
        return
    sys.stdout.write(f"unset {' '.join(_OTHERS)}\n")
    for name, said in lines.items():
        sys.stdout.write(f"export {name}={shlex.quote(said)}\n")


def _fields(session: Session, key: Key) -> dict[str, str]:
    found = session.demand(key)
    health = health_of(found)
    name = found.get("status", {}).get("binding", {}).get("name")
    if not name:
        raise Failed(f"{short(key)} has no access: {health.message or health.reason}; kubectl mesh why {written(key)}")
    return fields_of(session.demand(Key("Secret", key.namespace, name)))


def _run(fields: dict[str, str], run: list[str]) -> int:
    """Run a command with the key as variables and as files of a service binding, which are removed when it ends."""
    with tempfile.TemporaryDirectory(prefix="mesh-use-") as folder:
        place = Path(folder) / "port"
        place.mkdir()
        for name, said in fields.items():
            (place / name).write_text(said)
        env = {**{name: said for name, said in os.environ.items() if name not in _OTHERS}, **environment(fields, folder, "port")}
        before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the command's: a shell or a query tool goes on after it
        try:
            return subprocess.run(run, env=env, check=False).returncode  # noqa: S603 - the user's own command
        except OSError as error:
            raise Failed(f"{run[0]}: {error.strerror}", code=2) from error
        finally:
            signal.signal(signal.SIGINT, before)
