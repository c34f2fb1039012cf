"""`init`: the first manifest of a Domain or a DataProduct, by questions or options."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from clouddatamesh.checking.documents import Unreadable, read_documents
from clouddatamesh.cli.app import app, ends_in_a_sentence
from clouddatamesh.cli.check import find_remarks
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import STDIN, Found, Place
from clouddatamesh.cli.starters import DomainStart, ProductStart, start_domain, start_product, start_profile

STDOUT: Final = STDIN
starts = typer.Typer(no_args_is_help=True, help="Write the first manifest of a domain or a product. What is not given is asked for.")
app.add_typer(starts, name="init")
File = Annotated[str, typer.Option("--file", "-f", help="Where to write; - is standard output. Absent: NAME.yaml.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that exists.")]
Purpose = Annotated[str, typer.Option("--purpose", "-p", help="What it is for, in a sentence.")]


@starts.command("domain")
def domain(
    name: Annotated[str, typer.Argument(help="Name of the domain and of its namespace, such as sales.")],
    purpose: Purpose = "",
    owner: Annotated[list[str] | None, typer.Option("--owner", help="Group that answers requests; can be repeated.")] = None,
    engineer: Annotated[list[str] | None, typer.Option("--engineer", help="Group that makes products; can be repeated.")] = None,
    team: Annotated[str, typer.Option("--team", help="Name of the team.")] = "",
    file: File = "",
    force: Force = False,
) -> None:
    """Write the manifest of a Domain, and that of its profile in the same folder."""
    with ends_in_a_sentence():
        said = DomainStart(
            name,
            purpose or _ask("--purpose", "What is the domain's data for?"),
            owner or _listed(_ask("--owner", "Which groups own it, with commas between them?")),
            engineer or (),
            team,
        )
        _write_both(start_domain(said), start_profile(said), file or f"{name}.yaml", force=force)


@starts.command("product")
def product(
    name: Annotated[str, typer.Argument(help="Name of the product, such as orders.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of its domain.")] = "",
    purpose: Purpose = "",
    owner: Annotated[str, typer.Option("--owner", help="Name of the person who answers for it.")] = "",
    email: Annotated[str, typer.Option("--email", help="Address of that person.")] = "",
    store: Annotated[str, typer.Option("--store", help="ObjectStore that holds the data.")] = "main",
    port: Annotated[list[str] | None, typer.Option("--port", help="Output port, such as daily; can be repeated.")] = None,
    format_: Annotated[str, typer.Option("--format", help="Format of the files.")] = "parquet",
    classification: Annotated[str, typer.Option("--classification", help="public, internal, confidential or restricted.")] = "internal",
    personal: Annotated[bool, typer.Option("--personal-data", help="It holds personal data.")] = False,
    file: File = "",
    force: Force = False,
) -> None:  # fmt: skip
    """Write the manifest of a DataProduct, as a draft."""
    with ends_in_a_sentence():
        said = ProductStart(
            name,
            namespace or _ask("--namespace", "In which namespace of its domain?"),
            purpose or _ask("--purpose", "What is the data for?"),
            owner or _ask("--owner", "Who answers for it?"),
            email,
            store,
            port or ["daily"],
            format_,
            classification,
            personal,
        )
        _write(start_product(said), file or f"{name}.yaml", force=force)


def _ask(option: str, question: str) -> str:
    """The answer of a person; Raises Failed where there is none to ask."""
    if not sys.stdin.isatty():
        raise Failed(f"Give {option}; there is no terminal to ask in", code=2)
    return str(typer.prompt(question, err=True))


def _listed(answer: str) -> list[str]:
    return [name.strip() for name in answer.split(",") if name.strip()]


def _write_both(domain: str, profile: str, name: str, *, force: bool) -> None:
    """Into two files, since the profile can be applied only when the Domain has its namespace."""
    if name == STDOUT:
        _write(f"{domain}---\n{profile}", name, force=force)
        return
    place = Path(name)
    second = str(place.with_name(f"{place.stem}-profile{place.suffix}"))
    if not force and Path(second).exists():
        raise Failed(f"{second} exists already; choose another one with --file, or write over it with --force")
    _write(domain, name, force=force)
    _write(profile, second, force=force)


def _write(text: str, name: str, *, force: bool) -> None:
    """Only a manifest that the API server would take is written, and over no file unless that is wanted."""
    try:
        found = [Found(Place(name, document.line_of(())), document.value, document) for document in read_documents(text)]
    except Unreadable as error:
        raise Failed(f"What was given cannot be written as YAML: {error}", code=2) from None
    wrong = [line for line in find_remarks(found, "default") if line.is_error]
    if wrong:
        raise Failed("; ".join(f"{line.field}: {line.sentence}" for line in wrong), code=2)
    if name == STDOUT:
        sys.stdout.write(text)
        return
    try:
        with Path(name).open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Failed(f"{name} exists already; choose another one with --file, or write over it with --force") from None
    except OSError as error:
        raise Failed(f"{name} cannot be written: {error.strerror}") from None
    sys.stderr.write(f"{name} is written. Next: edit it, then kubectl mesh check {name} and kubectl mesh plan {name}\n")
