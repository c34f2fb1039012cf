"""The grants that answer a request: found by index, the one on which access runs also live, and read without giving by mistake."""

from collections.abc import Iterator
from dataclasses import replace

from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.errors import Transient
from clouddatamesh.model.access import Answer, Ask
from clouddatamesh.model.evidence import require
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import read_grant
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.judging import judge_object, was_judged
from clouddatamesh.reconcile.parse import is_readable


def answers_of(ask: Ask, cluster: Cluster) -> Iterator[Manifest]:
    """Grants of the product's namespace that name this request or its namespace; those that are being deleted included."""
    named = cluster.referring(ask.key, "AccessGrant")
    refused = cluster.referring(Key("Namespace", "", ask.key.namespace), "AccessGrant")
    return (manifest for manifest in (*named, *refused) if manifest["metadata"]["namespace"] == ask.product.namespace)


def read_answers(ask: Ask, ports: Ports) -> Iterator[Answer]:
    """What does not read as Approve is a no; but where many grants cannot be read, the fault is ours, and nothing is taken for it."""
    found = list(answers_of(ask, ports.cluster))
    for running in ask.grants if ask.place is not None else ():
        live = require(ports.cluster.read(running.key)) if all(one["metadata"]["uid"] != running.uid for one in found) else None
        found += [live] if live is not None and live["metadata"]["uid"] == running.uid else []
    for manifest in found:
        answer = replace(read_grant(manifest), readable=is_readable(AccessGrant, manifest))
        if answer.decision == "Approve" and not (answer.given_namespace and was_judged(manifest)):
            denial = judge_object(answer.key, ports).denial
            answer = replace(answer, denied=denial is not None, undecided=isinstance(denial, Transient))
        doubtful = not answer.readable and (manifest.get("spec") or {}).get("decision") != "Deny"
        yield replace(answer, decision="Approve") if doubtful and "AccessGrant" in ports.proofs.distrusted else answer
