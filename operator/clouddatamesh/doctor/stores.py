"""Whether each ObjectStore is Ready, known and probed, and has its Secret. Of a Secret only the names of its keys are kept."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final

from clouddatamesh.advice import advice_of
from clouddatamesh.api.fields import parse_time
from clouddatamesh.doctor.findings import Checked, Finding, Result, Unchecked
from clouddatamesh.doctor.reading import NotAllowed
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.kube.resources import collection, path
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.plan.sweep import MOST
from clouddatamesh.reconcile.places import CREDENTIALS
from clouddatamesh.status.summarize import condition_of, is_true

CHECK: Final = "stores"
_PROBED: Final = Settings(mesh="", namespace="").probe_interval + timedelta(hours=1)
"""Without a probe for this time, none was made when it was due."""


def look(subject: Subject) -> Iterator[Result]:
    """All ObjectStores."""
    count = 0
    for store in subject.reader.pages(collection("ObjectStore")):
        count += 1
        yield from judge(store, subject=subject)
        yield from _look_at_secret(store, subject)
    yield Checked(check=CHECK, what=f"{count} ObjectStores: state, Secret, probe, store id")


def judge(store: Manifest, *, subject: Subject) -> Iterator[Finding]:
    """What a store's status says."""
    name, status = store["metadata"]["name"], part_of(store, "status")
    ready = condition_of(status, "Ready") or {}
    if "deletionTimestamp" in store["metadata"]:
        return  # told among the objects
    if ready.get("status") != "True" and int(status.get("observedGeneration", -1)) >= 0:
        reason = str(ready.get("reason") or "Pending")
        yield _say(
            name,
            f"It is not Ready ({reason}): {ready.get('message') or 'no message'}",
            "Nothing is created in it; existing access stays, and what must end there may not",
            advice_of(reason),
        )
    if status.get("probeUnclear"):
        why = "A protection whose effect is not known is not applied, or not counted as applied"
        yield _say(name, f"The last probe gave no verdict: {status['probeUnclear']}", why, advice_of("CapabilityMissing"))
    if ready.get("status") == "True":
        yield from _judge_ready(name, store, subject)
    yield from _judge_orphans(name, store)


def _judge_ready(name: str, store: Manifest, subject: Subject) -> Iterator[Finding]:
    status = part_of(store, "status")
    probed = status.get("probedAt")
    again = f"kubectl annotate objectstore {name} --overwrite clouddatamesh.dev/reconcile-requested-at=$(date +%s)"
    if not probed or subject.now() - parse_time(probed) > _PROBED:
        why = "The operator probes each store daily, and nobody has learned since whether its protections still work"
        yield _say(name, f"Its last probe was {probed or 'never'}", why, again)
    if not status.get("storeId"):
        why = "Without an id the operator cannot tell another store behind the same name, so it takes nothing for absent"
        yield _say(name, "It has no store id", why, again)


def _judge_orphans(name: str, store: Manifest) -> Iterator[Finding]:
    """What the operator itself counts: users whose owner does not exist."""
    status = part_of(store, "status")
    if not is_true(status, "PrincipalsOrphaned"):
        return
    told = str((condition_of(status, "PrincipalsOrphaned") or {}).get("message") or "")
    is_braked = len(status.get("orphans") or ()) > MOST and "left alone" in told
    why = (
        "The brake of the sweep: most known users have no owner, so the fault may be elsewhere"
        if is_braked
        else "The operator removes them"
    )
    do = f"kubectl get objectstore {name} -o jsonpath='{{.status.orphans}}'; {advice_of('Orphaned')}"
    found = _say(name, told, why, do)
    yield found if is_braked else Finding(**{**vars(found), "level": "Remark"})


def _look_at_secret(store: Manifest, subject: Subject) -> Iterator[Result]:
    named = str(part_of(part_of(store, "spec"), "credentialsSecretRef").get("name") or "")
    if not named:
        return
    try:
        found = subject.reader.get(path(Key("Secret", subject.namespace, named)))
    except NotAllowed as refused:
        store_name = store["metadata"]["name"]
        by_design = subject.is_by_design(refused.need)
        yield Unchecked(check=CHECK, what=f"the Secret of ObjectStore {store_name}", missing=str(refused), by_design=by_design)
        return
    keys = tuple(key for key, value in ((found or {}).get("data") or {}).items() if value)
    yield from judge_secret(store["metadata"]["name"], named, None if found is None else keys, namespace=subject.namespace)


def judge_secret(store: str, secret: str, keys: Collection[str] | None, *, namespace: str) -> Iterator[Finding]:
    """`keys` are those with a value; None where the Secret does not exist."""
    missing = [key for key in CREDENTIALS if key not in (keys or ())]
    if not missing:
        return
    what = f"Its Secret {namespace}/{secret} " + ("does not exist" if keys is None else f"lacks {' and '.join(missing)}")
    values = " ".join(f"--from-literal={key}=<value>" for key in CREDENTIALS)
    make = f"kubectl create secret generic {secret} -n {namespace} {values}"
    yield _say(
        store,
        what,
        "Within a minute the operator can neither give nor end access in this store",
        make if keys is None else f"{make} --dry-run=client -o yaml | kubectl apply -f -",
    )


def _say(name: str, what: str, why: str, do: str) -> Finding:
    return Finding(check=CHECK, object=f"ObjectStore {name}", what=what, why=why, do=do)
