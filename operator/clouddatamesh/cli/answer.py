"""Commands of an owner: requests, approve, deny, revoke."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.ask import DryRun, write
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.names import parse, short, written
from clouddatamesh.cli.output import Form, Row, print_list, print_table
from clouddatamesh.cli.output import note as say
from clouddatamesh.cli.paint import console
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.answers import is_in_effect, is_lasting, standing, terms_of
from clouddatamesh.view.drafts import draft_approval, draft_denial
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text
from clouddatamesh.view.worklist import Own, Pending, own_requests, pending, unlisted

Request = Annotated[str, typer.Argument(help="NAMESPACE/NAME of the request, as `kubectl mesh requests` shows it.")]
_ENDS = "Duration as 90d, time as 2027-02-20T00:00:00Z, or permanent; absent: what was asked for."
Until = Annotated[str, typer.Option("--until", help=_ENDS)]
Note = Annotated[str, typer.Option("--note", help="What the consumer can read about it.")]


@command("requests")
def requests(
    session: Session,
    options: Options,
    mine: Annotated[bool, typer.Option("--mine", help="Those that your namespace made.")] = False,
) -> None:
    """List requests that wait for your answer; with --mine those that you made."""
    _read(session, "AccessRequest" if mine else "AccessInbox")
    if mine:
        own = own_requests(session.mesh)
        print_list(options.output, own, name=lambda entry: written(entry.request), table=_own)
    else:
        waiting = pending(session.mesh)
        print_list(options.output, waiting, name=lambda entry: short(entry.request), table=_pending)
        if more := unlisted(session.mesh):
            say(more)


def _read(session: Session, kind: str) -> None:
    session.mesh |= Mesh.of(session.visible(kind))


def _pending(found: Iterator[Pending]) -> None:
    head = ["REQUEST", "PRODUCT", "PORT", "MODE", "CONSUMER", "DURATION", "APPROVALS", "PURPOSE"]
    rows = ([short(e.request), short(e.product), e.port, e.mode, e.consumer, e.duration, _approvals(e), _purpose(e)] for e in found)
    print_table(head, rows, empty="Nothing waits for an answer")


def _approvals(entry: Pending) -> str:
    return ", ".join(filter(None, (entry.approvals, "escalated" if entry.escalated else "")))


def _purpose(entry: Pending) -> str:
    return f"renewal: {entry.renewal or 'no reason given'} ({entry.purpose})" if entry.renewal else entry.purpose


def _own(found: Iterator[Own]) -> None:
    head = ["REQUEST", "PRODUCT", "PORT", "MODE", "HEALTH", "REASON", "UNTIL"]
    rows: Iterator[Row] = ([short(e.request), short(e.product), e.port, e.mode, e.health, e.health.reason, e.until] for e in found)
    print_table(head, rows, empty="No requests found")


@command("approve")
def approve(
    session: Session,
    options: Options,
    request: Request,
    until: Until = "",
    note: Note = "",
    dry_run: DryRun = False,
) -> None:  # fmt: skip
    """Approve a pending request. With -o yaml the grant is printed, for Git.

    If the port asks for several people, the grant names you as its approver.
    """
    entry = _entry(session, request)
    approver = session.user() if entry.approvals else ""
    if approver in entry.approved_by:
        raise Failed(f"You, {approver}, have approved {short(entry.request)} already; {entry.approvals} people have, so somebody else must")
    grant = draft_approval(entry.grant, until or entry.duration, note, datetime.now(UTC), approver)
    _show(entry, grant)
    if sys.stdin.isatty() and not dry_run and options.output not in (Form.JSON, Form.YAML):
        typer.confirm("Approve this?", abort=True, err=True)
    write(session, options, grant, dry_run=dry_run)


def _show(entry: Pending, grant: Manifest) -> None:
    """Who gets what, by the request as it is now: since it was listed, its author may have made it again for something else."""
    end = f"until {grant['spec']['validUntil']}" if "validUntil" in grant["spec"] else "without an end"
    what = f"{entry.mode} access to {entry.port} of {short(entry.product)} {end}"
    say(f"{entry.consumer} gets {what}, for: {_purpose(entry)}")
    if entry.approvals:
        by = f"; approved by {', '.join(entry.approved_by)}" if entry.approved_by else ""
        say(f"You approve as {grant['spec']['approver']}; the port asks for several people, and {entry.approvals} have approved{by}")


@command("deny")
def deny(session: Session, options: Options, request: Request, note: Note = "", dry_run: DryRun = False) -> None:
    """Deny a pending request. It stays denied until the grant that says so is deleted."""
    entry = _entry(session, request)
    session.read("AccessGrant", entry.product.namespace)
    running = next(filter(is_in_effect, _grants_of(session, entry.request)), None)
    if running is not None:
        asker, end = short(entry.request), text(running, "status", "validUntil")
        lasts = f"until {end}, and ends then if nobody answers the renewal" if end else "without an end"
        why = f"{asker} has access by AccessGrant {short(key_of(running))} {lasts}; a Deny would end it now"
        raise Failed(f"{why}. To end it now: kubectl mesh revoke {asker}")
    write(session, options, draft_denial(entry.grant, note), dry_run=dry_run)


def _entry(session: Session, given: str) -> Pending:
    wanted = parse(session, given, "AccessRequest")
    _read(session, "AccessInbox")
    found = [entry for entry in pending(session.mesh) if entry.request == wanted]
    if not found:
        said = f"No request {short(wanted)} waits for an answer that you may give; `kubectl mesh requests` lists those that do"
        raise Failed(". ".join(filter(None, (said, unlisted(session.mesh)))))
    return found[0]


@command("revoke")
def revoke(session: Session, options: Options, request: Request, note: Note = "", dry_run: DryRun = False) -> None:
    """End the access of a request: its grant is deleted, or a Deny is written where the access would come back."""
    wanted = parse(session, request, "AccessRequest")
    grants = _grants(session, wanted)
    approvals = standing(grants)
    if not approvals:
        raise Failed(f"No approval of {short(wanted)} is in a namespace that you may read; name the product's namespace with -n")
    if len({terms_of(grant) for grant in approvals}) > 1:
        listed = ", ".join(short(key_of(grant)) for grant in approvals)
        raise Failed(f"No access of {short(wanted)} rests on these approvals, and they differ: {listed}; delete them one by one")
    grant = approvals[0]
    product = session.fetch(Key("DataProduct", grant["metadata"]["namespace"], grant["spec"]["dataProductRef"]["name"]))
    if is_lasting(product, grants, grant) and options.output not in (Form.JSON, Form.YAML):
        key, end = key_of(grant), "the key stops working within seconds" if is_in_effect(grant) else "no access rested on it"
        session.delete(key, grant["metadata"]["uid"], dry_run=dry_run)
        console().print(f"{key} deleted{' (dry run)' if dry_run else ''}; {end}")
        return
    write(session, options, draft_denial(grant, note), dry_run=dry_run)


def _grants(session: Session, request: Key) -> tuple[Manifest, ...]:
    """The grants about a request, in the namespaces that the user may read."""
    _read(session, "AccessGrant")
    return _grants_of(session, request)


def _grants_of(session: Session, request: Key) -> tuple[Manifest, ...]:
    """Those that were read."""
    about = {"namespace": request.namespace, "name": request.name}
    return tuple(grant for grant in session.mesh.all("AccessGrant") if grant["spec"].get("requestRef") == about)
