"""Commands for other tools: export of what the mesh is, import of the descriptors that a team has."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Final

import typer

from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.check import find_faults
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import read_text
from clouddatamesh.cli.folder import write_texts
from clouddatamesh.cli.names import parse
from clouddatamesh.cli.output import Form, clean, note
from clouddatamesh.cli.paint import console
from clouddatamesh.cli.schemas import check
from clouddatamesh.cli.session import Session
from clouddatamesh.export.bitol import kept
from clouddatamesh.export.bitol.contract_import import Port
from clouddatamesh.export.bitol.contracts import ports_by_contract
from clouddatamesh.export.bitol.importing import Imported, Source, Target, read
from clouddatamesh.export.bitol.loading import Unreadable, load
from clouddatamesh.export.bitol.report import Entry, Report, Verdict, has
from clouddatamesh.export.documents import Document
from clouddatamesh.export.formats import FORMATS, ODPS_VERSIONS, Choices
from clouddatamesh.export.rendering import render
from clouddatamesh.export.writing import to_json, to_yaml
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.view.domain import profile_key, with_profile
from clouddatamesh.view.drafts import find_port
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text

_STANDARDS: Final = ("odps", "odcs")
_WIDEST: Final = 60
_LOSES: Final = 3
_LOST: Final = "Something is lost; the report names it and the way out"


def _formats() -> list[str]:
    return [*FORMATS]


class Show(StrEnum):
    """How the report of an import is printed."""

    TABLE = "table"
    JSON = "json"


@command("export")
def export(
    session: Session,
    options: Options,
    products: Annotated[list[str] | None, typer.Argument(help="NAME or NAMESPACE/NAME; absent: all of the namespace.")] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help=f"One of {', '.join(FORMATS)}.", autocompletion=_formats)] = "odps",
    odps_version: Annotated[str, typer.Option("--odps-version", help=f"One of {', '.join(ODPS_VERSIONS)}.")] = ODPS_VERSIONS[0],
    everything: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Products of all namespaces that you can see.")] = False,
    mesh: Annotated[str, typer.Option("--mesh", help="Name of the mesh that the documents say, as tenant; absent: none.")] = "",
    catalog: Annotated[str, typer.Option("--catalog", help="Title of the catalogue, in formats that have one.")] = "",
    base: Annotated[str, typer.Option("--base", help="Where identifiers of a catalogue begin: https://… or urn:….")] = "",
    folder: Annotated[str, typer.Option("--output-dir", help="Folder for a file each; absent: standard output.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:  # fmt: skip
    """Write products as documents of a standard. They show what you may read, and nothing else."""
    _one_of("--format", format_, FORMATS)
    _one_of("--odps-version", odps_version, ODPS_VERSIONS)
    found = _chosen(session, products or [], everything)
    session.read("Domain")
    if format_ in _STANDARDS:
        _read_kept(session, found)
    else:
        for namespace in sorted({key_of(product).namespace for product in found}):
            session.read("AccessInbox", namespace)
        _read_profiles(session, found)
    documents = FORMATS[format_](session.mesh, found, Choices(odps_version, mesh, catalog, base))
    if not documents:
        note("No data products found" if not found else "These products have no output ports")
    elif options.output is Form.NAME:
        sys.stdout.writelines(f"{document.name}\n" for document in documents)
    elif folder:
        written = write_texts(folder, ((one.name, "".join(_texts([one], options.output))) for one in documents), force=force)
        note(f"{len(written)} file{'s' if len(written) != 1 else ''} written to {folder}")
    else:
        sys.stdout.writelines(_texts(documents, options.output))


def _one_of(option: str, given: str, known: Iterable[str]) -> None:
    if given not in known:
        raise Failed(f"{option} {given!r:.40} is not known; use one of {', '.join(known)}", code=2)


def _chosen(session: Session, products: Sequence[str], everything: bool) -> list[Manifest]:
    if products:
        return [session.demand(parse(session, given)) for given in dict.fromkeys(products)]
    found = list(session.everywhere("DataProduct") if everything else session.stream("DataProduct", session.home))
    session.mesh |= Mesh.of(found)
    return found


def _read_profiles(session: Session, products: Sequence[Manifest]) -> None:
    """What teams say of their Domains is shown instead of what the Domains say, as far as the user may read it."""
    domains = (session.mesh.domain_of(key_of(product).namespace) for product in products)
    named = {domain["metadata"]["name"]: domain for domain in domains if domain is not None}
    for domain in named.values():
        session.fetch(profile_key(domain))
    session.mesh |= Mesh.of(with_profile(session.mesh, domain) for domain in named.values())


def _read_kept(session: Session, products: Sequence[Manifest]) -> None:
    """The ConfigMaps of imported documents, as far as the user may read them."""
    for namespace in sorted({key_of(product).namespace for product in products}):
        session.read("ConfigMap", namespace, selector=kept.LABEL)
        if not session.mesh.may_list("ConfigMap", namespace):
            note(f"You may not list ConfigMaps in namespace {namespace}: what only an imported file said is not written")


def _texts(documents: Sequence[Document], form: Form) -> Iterator[str]:
    """In the form that was chosen, else by the media type. Several documents of JSON are `{"items": […]}`, of YAML a stream."""
    chosen = form.value if form in (Form.JSON, Form.YAML) else ""
    if len(documents) == 1:
        yield render(documents[0], form=chosen)
    elif chosen == "json" or documents[0].media_type.endswith("json"):
        yield to_json({"items": [document.body for document in documents]})
    else:
        yield from (to_yaml([document.body], start=True) for document in documents)


@command("import", offline="offline")
def import_(
    session: Session,
    options: Options,
    files: Annotated[list[str], typer.Argument(help="Files of ODPS or ODCS, YAML or JSON; - is standard input.")],
    store: Annotated[str, typer.Option("--store", help="ObjectStore of the products; absent: the only one that you can see.")] = "",
    into: Annotated[str, typer.Option("--into", metavar="PRODUCT/PORT", help="Keep a contract (ODCS) with this port; no product.")] = "",
    lenient: Annotated[bool, typer.Option("--lenient", help="Keep what the standard does not have, instead of refusing it.")] = False,
    report: Annotated[Show, typer.Option("--report", help="Form of the report on standard error.")] = Show.TABLE,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no cluster; needs -n and --store.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Let the API server check the manifests, and write nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the manifests; absent: print them.")] = False,
) -> None:  # fmt: skip
    """Read descriptors and print manifests; a report says what became of each field. Exit code 1: an error; 3: something is lost."""
    sources, unread = _sources(files)
    target = _target(session, store=store, into=into, lenient=lenient, offline=offline)
    found = read(sources, target)
    done = Imported(() if unread else found.manifests, (*unread, *found.report, *_faults(found.manifests)))
    end = _ended(done.report) if has(done.report, Verdict.ERROR) else _LOST if has(done.report, Verdict.LOST) else ""
    _print_report(done.report, report, end)
    if has(done.report, Verdict.ERROR):
        raise typer.Exit(1) if report is Show.JSON else Failed(end)
    if dry_run or apply:
        for manifest in done.manifests:
            session.apply(manifest, dry_run=dry_run)
            console().print(f"{key_of(manifest)} {'checked (dry run)' if dry_run else 'applied'}")
    elif options.output is Form.JSON:
        items = {"apiVersion": "v1", "kind": "List", "items": list(done.manifests)}
        sys.stdout.write(to_json(items))
    else:
        sys.stdout.write(to_yaml(done.manifests))
    if end:
        raise typer.Exit(_LOSES) if report is Show.JSON else Failed(end, code=_LOSES)


def _faults(manifests: Iterable[Manifest]) -> Iterator[Entry]:
    """What the API server would refuse, by the CRDs. It is a last look: the importers know our rules."""
    for manifest in manifests:
        for fault in find_faults(manifest) if manifest["kind"] == "DataProduct" else ():
            said = f"The API server would refuse it: {fault.message}"
            yield Entry("$", Verdict.ERROR, fault.field, said, str(key_of(manifest)))


def _ended(report: Report) -> str:
    count = sum(entry.verdict is Verdict.ERROR for entry in report)
    first = next(entry for entry in report if entry.verdict is Verdict.ERROR)
    more = f", and {count - 1} more" if count > 1 else ""
    return f"Nothing was imported: {first.document} {first.path}: {first.message}{more}"


def _sources(files: Sequence[str]) -> tuple[list[Source], Report]:
    sources: list[Source] = []
    unread: list[Entry] = []
    for name in files:
        try:
            bodies = load(read_text(name))
        except Unreadable as why:
            unread.append(Entry("$", Verdict.ERROR, "", str(why), name))
            continue
        if not bodies:
            unread.append(Entry("$", Verdict.ERROR, "", "It is empty; name a file with a descriptor", name))
        sources += [Source(name if len(bodies) == 1 else f"{name}#{place}", body) for place, body in enumerate(bodies, 1)]
    return sources, tuple(unread)


def _target(session: Session, *, store: str, into: str, lenient: bool, offline: bool) -> Target:
    if offline and not (store and session.namespace):
        raise Failed("--offline needs the namespace with -n and the ObjectStore with --store", code=2)
    if offline and into:
        raise Failed("--into asks the cluster for the port; leave out --offline", code=2)
    port = _port(session, into) if into else None
    namespace = port.product.namespace if port else session.home
    if offline or port:
        return Target(namespace, store, into=port, lenient=lenient, check=check)
    session.read("Domain")
    chosen = store or _only_store(session)
    session.read("DataProduct")
    if not session.mesh.may_list("DataProduct", ""):
        session.read("DataProduct", namespace)
    domain, contracts = session.mesh.domain_of(namespace), ports_by_contract(session.mesh)
    present = {str(product["metadata"]["name"]): product for product in session.mesh.all("DataProduct", namespace)}
    return Target(namespace, chosen, domain, contracts, present, lenient=lenient, check=check)


def _only_store(session: Session) -> str:
    session.read("ObjectStore")
    found = [str(store["metadata"]["name"]) for store in session.mesh.all("ObjectStore")]
    if not session.mesh.may_list("ObjectStore", ""):
        raise Failed("You may not list ObjectStores; name the store of the products with --store", code=2)
    if len(found) != 1:
        raise Failed(f"Name the store of the products with --store; there are: {', '.join(found) or 'none'}", code=2)
    return found[0]


def _port(session: Session, given: str) -> Port:
    """`orders/daily`, `sales/orders/daily` or `sales/orders/daily/1.0.0`."""
    parts = given.split("/")
    if len(parts) not in (2, 3, 4) or not all(parts):
        raise Failed(f"{given!r:.80} names no port; write PRODUCT/PORT or NAMESPACE/PRODUCT/PORT", code=2)
    namespaced = len(parts) > 2
    product = session.demand(parse(session, "/".join(parts[:2] if namespaced else parts[:1])))
    wanted = "/".join(parts[2:] if namespaced else parts[1:])
    port = find_port(product, wanted)
    listed = product["spec"].get("outputPorts") or ()
    contract = next((text(one, "contractId") for one in listed if (one["name"], one["version"]) == (port.name, port.version)), "")
    return Port(key_of(product), port.name, port.version, contract)


def _print_report(report: Report, form: Show, end: str) -> None:
    """On standard error: the manifests are on standard output. As data it says itself how the command ends, and nothing else does."""
    if form is Show.JSON:
        sys.stderr.write(to_json({"entries": [asdict(entry) for entry in report], "message": end}))
        return
    by_document: dict[str, list[Entry]] = {}
    for entry in report:
        by_document.setdefault(entry.document, []).append(entry)
    for entries in by_document.values():
        sys.stderr.writelines(f"{line}\n" for line in _lines(entries))


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    counts = Counter(entry.verdict for entry in entries)
    yield f"{clean(entries[0].document)}: {', '.join(f'{counts[verdict]} {verdict}' for verdict in Verdict if counts[verdict])}"
    rows = [
        [entry.verdict, clean(entry.path), clean(": ".join(part for part in (entry.target, entry.message) if part))] for entry in entries
    ]
    widths = [min(max(len(row[column]) for row in rows), _WIDEST) for column in range(2)]
    yield from (f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows)
