"""`policies render`: the admission policies of GovernancePolicies and DomainPolicies, for those who keep them in a repository."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from clouddatamesh.api.fields import GROUP
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.cli.app import Options, app, command
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import read_files
from clouddatamesh.cli.judged import find_policy_faults
from clouddatamesh.cli.output import Form, note
from clouddatamesh.cli.session import Session
from clouddatamesh.export.writing import to_json, to_yaml
from clouddatamesh.governance.gate.rendering import Rendering, Scene, render
from clouddatamesh.model.judging import POLICY_KINDS, WAIVER
from clouddatamesh.model.objects import Manifest, key_of

policies = typer.Typer(help="Rules of the mesh as admission policies of Kubernetes.", no_args_is_help=True)
app.add_typer(policies, name="policies")
_KINDS: Final = (*POLICY_KINDS, WAIVER, "Domain")


@command("render", policies, offline="files")
def render_policies(
    session: Session,
    options: Options,
    files: Annotated[list[str] | None, typer.Argument(help="Files, folders, or - for standard input; absent: the cluster.")] = None,
    operator_namespace: Annotated[str, typer.Option(help="Namespace of the operator, which is not judged.")] = "clouddatamesh-system",
) -> None:
    """Print the ValidatingAdmissionPolicies and bindings of policies that warn or deny. Exit code 1 where one cannot be rendered.

    Waivers count until their end: print them again then, or let `clouddatamesh gate` do it.
    """
    found = _of_files(files, session.namespace or "default") if files else _of_cluster(session)
    faults = find_policy_faults([one for one in found if _is_readable(one)])
    scene = Scene(
        tuple(one for one in found if one["kind"] in POLICY_KINDS and key_of(one) not in faults),
        tuple(one for one in found if one["kind"] == WAIVER),
        tuple(one for one in found if one["kind"] == "Domain"),
    )
    if not scene.policies and not faults:
        raise Failed("There is no GovernancePolicy and no DomainPolicy", code=2)
    rendering = render(scene, now=datetime.now(UTC), operator=f"system:serviceaccount:{operator_namespace}:clouddatamesh")
    _print(rendering, options.output)
    for key, fault in sorted(faults.items()):
        note(f"{key}: {fault}")
    _note(rendering)
    if rendering.refused or faults:
        raise typer.Exit(1)


def _is_readable(manifest: Manifest) -> bool:
    """Whether a manifest has the form of its kind; of a policy that has not the rendering says why."""
    try:
        KIND_BY_NAME[manifest["kind"]].model.model_validate({name: part for name, part in manifest.items() if name != "status"})
    except ValidationError:
        return False
    return True


def _of_files(files: Sequence[str], namespace: str) -> list[Manifest]:
    return list(_placed(files, namespace))


def _placed(files: Sequence[str], namespace: str) -> Iterator[Manifest]:
    """Manifests of our kinds, a DomainPolicy with the namespace that kubectl would give it."""
    for one in read_files(files):
        if one.fault:
            raise Failed(f"{one.place}: {one.fault}", code=2)
        manifest = one.manifest
        if manifest["kind"] not in _KINDS or manifest["apiVersion"].partition("/")[0] != GROUP:
            continue
        if not manifest["metadata"].get("name"):
            raise Failed(f"{one.place}: The manifest has no metadata.name, by which its admission policy is named", code=2)
        given = {"namespace": manifest["metadata"].get("namespace") or namespace} if manifest["kind"] == "DomainPolicy" else {}
        yield {**manifest, "metadata": {**manifest["metadata"], **given}}


def _of_cluster(session: Session) -> list[Manifest]:
    """All of them: without a Domain or a waiver another policy would be printed. Raises NotAllowed."""
    return [one for kind in _KINDS for one in session.stream(kind)]


def _print(rendering: Rendering, form: Form) -> None:
    manifests = [manifest for pair in rendering.pairs for manifest in pair.manifests]
    if form is Form.JSON:
        sys.stdout.write(to_json({"apiVersion": "v1", "kind": "List", "items": manifests}))
    elif manifests:
        sys.stdout.write(to_yaml(manifests, start=True))


def _note(rendering: Rendering) -> None:
    for left in rendering.left:
        note(f"{left.policy}{f', rule {left.rule}' if left.rule else ''}: {left.why}")
    if rendering.until is not None:
        note(f"A waiver ends at {rendering.until:%Y-%m-%dT%H:%M:%SZ}; print them again then")
