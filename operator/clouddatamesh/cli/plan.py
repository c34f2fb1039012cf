"""`plan`: what manifests would make, change, give and take in the cluster. Nothing is written."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from rich.text import Text

from clouddatamesh.api.fields import GROUP
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.checking.schema import with_defaults
from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.check import definitions, find_remarks, placed
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import Found, read_files
from clouddatamesh.cli.names import written
from clouddatamesh.cli.output import Form, clean, note, print_data, print_list
from clouddatamesh.cli.paint import console
from clouddatamesh.cli.remarks import Line, print_lines
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.effects import Effect, Sign, find_effects
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text

_MARKS: Final = {Sign.MAKE: "+", Sign.CHANGE: "~", Sign.ASK: "?", Sign.GIVE: ">", Sign.TAKE: "-"}
_STYLES: Final = {Sign.MAKE: "green", Sign.CHANGE: "yellow", Sign.ASK: "yellow", Sign.GIVE: "cyan", Sign.TAKE: "red"}
_TAKES: Final = 3
_TAKING: Final = frozenset(f"{GROUP}/{order}" for order in ("cut-off", "force-delete", "orphan", "end-taken-over"))
_COUNTED: Final = {"create": "to create", "change": "to change", "delete": "to delete", "refuse": "refused", "none": "unchanged"}


@dataclass(frozen=True)
class Step:
    """What becomes of one object. `refused` is the API server's sentence against it."""

    key: Key
    action: str
    """create, change, delete, none, or (by the API server) refuse."""
    effects: tuple[Effect, ...]
    refused: str = ""


@command("plan")
def plan(
    session: Session,
    options: Options,
    files: Annotated[list[str], typer.Argument(help="Files, folders, or - for standard input.")],
    recursive: Annotated[bool, typer.Option("--recursive", "-R", help="Read subfolders, as `kubectl apply -R`.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="What `kubectl delete -f` would do, in place of apply.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 where something is taken.")] = False,
) -> None:
    """Show what manifests would make, change, give and take. The API server checks them; nothing is written."""
    read = list(read_files(files, recursive=recursive))
    found = [one for one in read if _is_ours(one)]
    wrong = [line for line in find_remarks(read, session.home) if line.is_error and not _is_there(session, found, line, delete=delete)]
    if wrong:
        print_lines(wrong, to=sys.stdout if options.output in (Form.TABLE, Form.WIDE) else sys.stderr)
        raise Failed(f"{len(wrong)} errors in the files; correct them first")
    unnamed = next((one for one in found if not one.manifest["metadata"].get("name")), None)
    if unnamed is not None:
        raise Failed(f"{unnamed.place}: an object that is applied needs metadata.name in place of generateName", code=2)
    wanted = [placed(one.manifest, session.home) for one in found]
    others = [one.manifest for one in read if not _is_ours(one)]
    steps = [*_find_steps(session, wanted, delete=delete), *(_namespaces(others) if delete else ())]
    if not steps and not found:
        raise Failed("The files hold no manifest of this project", code=2)
    _show(options.output, steps)
    if others:
        note(f"{len(others)} manifests of other kinds are left out; kubectl would act on them")
    if any(step.refused for step in steps):
        raise Failed("The API server refuses some of it")
    if exit_code and any(effect.sign is Sign.TAKE for step in steps for effect in step.effects):
        raise typer.Exit(_TAKES)


def _is_ours(one: Found) -> bool:
    return bool(one.fault) or one.manifest["apiVersion"].partition("/")[0] == GROUP


def _is_there(session: Session, found: Sequence[Found], line: Line, *, delete: bool) -> bool:
    """Whether a remark is on an object of the cluster: the API server decides what it may keep, and a deletion needs no right values."""
    for one in found:
        if one.fault or one.manifest["kind"] not in KIND_BY_NAME or not isinstance(one.manifest.get("metadata"), dict):
            continue
        name, place = (one.manifest["metadata"].get(part) for part in ("name", "namespace"))
        if isinstance(name, str) and line.object == f"{one.manifest['kind']} {f'{place}/' if place else ''}{name}":
            return delete or session.fetch(key_of(placed(one.manifest, session.home))) is not None
    return False


def _namespaces(others: Sequence[Manifest]) -> Iterator[Step]:
    """A Namespace goes with everything in it."""
    for manifest in others:
        if manifest["kind"] == "Namespace":
            key = Key("Namespace", "", text(manifest, "metadata", "name"))
            yield Step(key, "delete", (Effect(Sign.TAKE, "everything in it: products, requests, grants and Secrets"),))


def _find_steps(session: Session, wanted: Sequence[Manifest], *, delete: bool) -> Iterator[Step]:
    pairs = [(manifest, session.fetch(key_of(manifest))) for manifest in wanted]
    hidden = [key_of(manifest) for manifest, live in pairs if live is None and key_of(manifest) not in session.mesh.absent]
    if hidden:
        raise Failed(f"You may not read {hidden[0]}, so what would become of it cannot be said; docs/roles.md says which role reads it")
    if delete:
        yield from (Step(key_of(live), "delete", tuple(find_effects(live, None, session.mesh))) for _, live in pairs if live is not None)
        return
    made = {name for manifest in wanted if manifest["kind"] == "Domain" for name in named_namespaces(manifest)}
    rehearsed = [(live, *_rehearse(session, manifest, live, made)) for manifest, live in pairs]
    for _, after, _ in rehearsed:
        _read_around(session, after)
    mesh = session.mesh | Mesh.of(after for _, after, _ in rehearsed)
    for live, after, refused in rehearsed:
        effects = () if refused else (*_annotations(live, after), *find_effects(live, after, mesh))
        action = "refuse" if refused else "create" if live is None else "change" if effects else "none"
        yield Step(key_of(after), action, effects, refused)


def _rehearse(session: Session, manifest: Manifest, live: Manifest | None, made: set[str]) -> tuple[Manifest, str]:
    """The object as it would be stored; where its namespace comes with its Domain, as the schema alone completes it."""
    here = with_defaults(dict(manifest), definitions()[manifest["kind"]].schema)
    if live is not None and live["metadata"].get("deletionTimestamp"):
        return here, "it is being deleted; apply it again when it is gone"
    namespace = manifest["metadata"].get("namespace", "")
    try:
        return {"kind": manifest["kind"], **session.rehearse(manifest, live)}, ""
    except Failed as error:
        is_to_come = live is None and namespace in made and f'namespaces "{namespace}" not found' in str(error)
        return here, "" if is_to_come else str(error)


def _read_around(session: Session, after: Manifest) -> None:
    """What the effects of an object depend on, as far as the user may read it."""
    if after["kind"] == "AccessRequest":
        session.fetch(asked_product(after))
    if after["kind"] == "AccessGrant" and text(after, "spec", "requestRef", "name"):
        session.fetch(Key("AccessRequest", text(after, "spec", "requestRef", "namespace"), text(after, "spec", "requestRef", "name")))


def _annotations(live: Manifest | None, after: Manifest) -> Iterator[Effect]:
    """Annotations of ours are orders: those that are added or changed, and those that kubectl takes off since they had been applied."""
    had = (live or {}).get("metadata", {}).get("annotations") or {}
    has = after["metadata"].get("annotations") or {}
    for name in sorted({*had, *has}):
        if not name.startswith(f"{GROUP}/") or had.get(name) == has.get(name):
            continue
        if name in has:
            yield Effect(Sign.TAKE if name in _TAKING else Sign.CHANGE, f"annotation {name}: {has[name]}")
        else:
            yield Effect(Sign.GIVE if name in _TAKING else Sign.CHANGE, f"annotation {name} is removed, it was {had[name]}")


def _show(form: Form, steps: Sequence[Step]) -> None:
    if form in (Form.JSON, Form.YAML):
        print_data(steps, form)
    elif form is Form.NAME:
        changed = [step.key for step in steps if step.action != "none"]
        print_list(form, changed, name=written, table=lambda _: None)
    else:
        for step in steps:
            _print(step)
        actions = [step.action for step in steps]
        counts = ", ".join(f"{actions.count(action)} {_COUNTED[action]}" for action in _COUNTED if action in actions)
        note(counts or "Nothing to do")


def _print(step: Step) -> None:
    out = console()
    if step.refused:
        out.print(Text.assemble((str(step.key), "bold"), ("  refused: ", "red"), clean(step.refused)))
    elif step.action != "none":
        out.print(Text.assemble((str(step.key), "bold"), f"  {step.action}"))
        for effect in step.effects:
            style = _STYLES[effect.sign]
            out.print(Text.assemble((f"  {_MARKS[effect.sign]} {effect.sign.value:6}", style), f"  {clean(effect.sentence)}"))
