"""The commands, their common options, and how a command ends: with a result, or with one sentence."""

import contextlib
import functools
import gc
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from io import TextIOWrapper
from typing import Annotated, Any, Final

import typer

from clouddatamesh import __version__
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.kubectl import Kubectl, NoCluster
from clouddatamesh.cli.output import Form, clean
from clouddatamesh.cli.session import Session
from clouddatamesh.doctor.reading import NotAllowed
from clouddatamesh.view.refused import Refused

_DEBUG: Final = "MESH_DEBUG"
"""Whoever sets it sees tracebacks."""
_COMPLETES: Final = "_KUBECTL_MESH_COMPLETE"
"""A script of typer for a shell sets it to ask for words."""
_GARBAGE: Final = 50_000
"""New objects after which garbage is looked for: at Python's 700 a list of 10,000 products is looked through a thousand times."""
app = typer.Typer(
    name="kubectl mesh",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find, understand, request and use data products. Every command acts with your own rights in the cluster.",
)


@dataclass(frozen=True)
class Options:
    """What every command takes."""

    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace; absent: the one of your kubeconfig's context.")] = ""
    context: Annotated[str, typer.Option("--context", help="Context of the kubeconfig.")] = ""
    kubeconfig: Annotated[str, typer.Option("--kubeconfig", help="Path of the kubeconfig.")] = ""
    as_user: Annotated[str, typer.Option("--as", help="User to impersonate.")] = ""
    as_groups: Annotated[list[str] | None, typer.Option("--as-group", help="Group to impersonate; can be repeated.")] = None
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the result.")] = Form.TABLE

    def flags(self) -> list[str]:
        """As kubectl takes them."""
        named = {"--context": self.context, "--kubeconfig": self.kubeconfig, "--as": self.as_user}
        groups = [f"--as-group={group}" for group in self.as_groups or ()]
        return [*(f"{flag}={given}" for flag, given in named.items() if given), *groups]


def command(name: str, group: typer.Typer = app, *, offline: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function that takes a Session, the Options and parameters of its own.

    `offline` names the parameter, if there is one, by which it is told to ask no cluster.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def call(**given: Any) -> None:
            options = Options(**{part.name: given.pop(part.name) for part in fields(Options)})
            _run(function, options, given, offline=bool(offline) and given[offline])

        own = list(inspect.signature(function, eval_str=True).parameters.values())[2:]
        common = list(inspect.signature(Options, eval_str=True).parameters.values())
        named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *common)]
        call.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
        group.command(name)(call)
        return function

    return decorate


def _run(function: Callable[..., None], options: Options, given: dict[str, Any], *, offline: bool) -> None:
    with ends_in_a_sentence(), NoCluster(()) if offline else Kubectl(options.flags()) as api:
        function(Session(api, options.namespace), options, **given)


@contextlib.contextmanager
def ends_in_a_sentence() -> Iterator[None]:
    """What goes wrong inside ends the program with one sentence and an exit code."""
    try:
        yield
    except (Failed, Refused) as error:
        _say(str(error))
        raise typer.Exit(getattr(error, "code", 1)) from None
    except NotAllowed as error:
        _say(f"You lack {error}; docs/roles.md says which role has it")
        raise typer.Exit(1) from None
    except (typer.Exit, typer.Abort):
        raise
    except BrokenPipeError:
        raise
    except (Exception, MemoryError) as error:
        if os.environ.get(_DEBUG):
            raise
        _say(_unexpected(error))
        raise typer.Exit(1) from None


def _unexpected(error: BaseException) -> str:
    """A file or an output that fails is for the user to correct; what else nobody foresaw is ours."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The output'}: {error.strerror}; check the file and the disk"
    return f"The command failed ({type(error).__name__}: {error}); set {_DEBUG}=1 to see where, and report it"


def _say(sentence: str) -> None:
    sys.stderr.write(f"kubectl mesh: {clean(sentence)}\n")


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"{__version__}\n")
        raise typer.Exit


@app.callback()
def _main(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    del version


MODULES: Final = {
    **dict.fromkeys(("list", "search"), "browse"),
    **dict.fromkeys(("describe", "tree", "why", "map"), "find"),
    **dict.fromkeys(("request", "renew"), "ask"),
    **dict.fromkeys(("requests", "approve", "deny", "revoke"), "answer"),
    **dict.fromkeys(("export", "import"), "exchange"),
    **{name: name for name in ("use", "check", "plan", "init", "doctor", "policies")},
}
"""Command -> the module that adds it to `app`. What is not run is not imported: that is a third of a second."""


def load_commands(wanted: str = "") -> None:
    """The commands of one module, or of all where `wanted` is no command."""
    for module in {MODULES[wanted]} if wanted in MODULES else sorted({*MODULES.values()}):
        importlib.import_module(f"clouddatamesh.cli.{module}")


def _write_anything() -> None:
    """Where the output is not UTF-8, what it cannot write is escaped; a letter in a title ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _program() -> str:
    """As help calls it; in scripts of shells that complete it, as they call it: a variable of the environment has no space in its name."""
    is_completed = _COMPLETES in os.environ or bool({"--install-completion", "--show-completion"} & {*sys.argv})
    return "kubectl-mesh" if is_completed else "kubectl mesh"


def main() -> None:
    """The console script. A pipe that is closed early and Ctrl-C end it quietly."""
    gc.set_threshold(_GARBAGE)
    _write_anything()
    load_commands(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        try:
            app(prog_name=_program())
        finally:
            sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _say(_unexpected(error))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
