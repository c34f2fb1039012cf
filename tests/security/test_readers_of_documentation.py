"""The commands that tests/security/test_readers_of_commands.py leaves out, in a world with what it leaves out: profiles, documentation in
ConfigMaps, policies, waivers and violations; and every list as data, which tells more than a table.

Asked by the same five readers: nothing is shown that `kubectl auth can-i` refuses, and what it allows is shown.
"""

import json
from collections.abc import Iterator

import pytest

from clouddatamesh.cli import app as application
from tests.e2e.people import Person
from tests.security import test_readers_of_commands as first
from tests.security.test_readers_of_commands import ENGINEER, FINDER, NOBODY, OWNER, READERS, SPACES, Place, Shown, shown
from tests.support.manifests import a_policy, a_profile, a_rule, a_team, a_waiver

__all__ = ["shown"]
MORE_KINDS = "domainprofiles,governancepolicies,domainpolicies,policywaivers,configmaps"
PLURALS = {"GovernancePolicy": "governancepolicies", "DomainPolicy": "domainpolicies", "AccessInbox": "accessinboxes"}


def _profile(name: str) -> dict[str, object]:
    training = [{"name": f"mark-course{name}", "completedBy": [{"username": f"mark-pupil{name}", "date": "2026-01-01"}]}]
    return a_profile(
        name,
        description={"purpose": f"mark-profile{name}"},
        team=a_team((f"mark-member{name}", "owner", "", "")),
        training=training,
        stakeholders=[{"name": f"mark-stakeholder{name}", "role": "Head"}],
        documentation={"configMapRef": {"name": f"mark-docs{name}", "key": "README.md"}},
    )


def _docs(name: str) -> dict[str, object]:
    metadata = {"name": f"mark-docs{name}", "namespace": name, "labels": {"clouddatamesh.dev/documentation": "true"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"README.md": f"mark-text{name}"}}


def _rule(name: str) -> dict[str, object]:
    return a_rule(f"rule-{name}", "false", message=f"mark-broken{name}", remediation=f"mark-remedy{name}")


MORE = (
    *map(_profile, SPACES),
    *map(_docs, SPACES),
    a_policy("mark-law", rules=[_rule("law")], description="mark-whylaw"),
    *(a_policy(f"mark-own{name}", name, rules=[_rule(name)]) for name in SPACES),
    a_waiver(
        "mark-waiver",
        policyRef={"kind": "GovernancePolicy", "name": "mark-law"},
        rule="rule-law",
        objectRef={"kind": "DataProduct", "namespace": "vault", "name": "mark-ledger"},
        reason="mark-excuse",
        approver="mark-approver",
        validUntil="2099-01-01T00:00:00Z",
    ),
)
COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("describe", f"domain/{name}", "-o", form) for name in SPACES for form in ("table", "json")),
    *(("describe", f"{place}", "-o", form) for place in ("sales/mark-orders", "vault/mark-ledger") for form in ("table", "json", "yaml")),
    *(("list", "-o", form) for form in ("wide", "json", "yaml")),
    ("search", "mark", "-o", "json"),
    ("search", "textvault"),
    ("search", "profilevault"),
    ("requests", "-o", "json"),
    ("requests", "--mine", "-o", "yaml"),
    ("tree", "domain/sales", "-o", "json"),
    ("tree", "domain/vault", "-o", "json"),
    ("why", "vault/mark-ledger", "-o", "json"),
    ("why", "sales/mark-orders"),
    ("why", "domain/vault"),
    ("why", "dprof/vault/vault"),
    ("tree", "dprof/vault/vault"),
    ("export", "-A", "-o", "json"),
    ("export", "-A", "--format", "odcs", "-o", "json"),
    ("use", "vault/mark-inside", "--", "env"),
    ("request", "vault/mark-ledger", "--for", "mark-levels", "--purpose", "x", "-o", "yaml"),
    ("approve", "vault/mark-hidden", "-o", "yaml"),
    ("deny", "inventory/mark-waiting", "-o", "yaml"),
    ("revoke", "inventory/mark-granted", "-o", "yaml"),
    ("renew", "vault/mark-inside", "-o", "yaml"),
    ("init", "product", "mark-levels", "-n", "inventory", "-p", "x", "--owner", "y", "-f", "-"),
    ("init", "profile", "vault", "-f", "-"),
)
OFFLINE = ("init",)


def _all_are_broken(shown: Shown) -> bool:
    """Whether every product tells of both policies; what it tells are words of its own from then on."""
    products = shown.installed.all("dataproducts")
    waived = {"vault/mark-ledger"}
    texts = {f"{one['metadata']['namespace']}/{one['metadata']['name']}": json.dumps(one) for one in products}
    own = all(f"mark-broken{name.partition('/')[0]}" in text for name, text in texts.items())
    return own and all("mark-brokenlaw" in text for name, text in texts.items() if name not in waived)


@pytest.fixture(scope="module")
def world(shown: Shown) -> Iterator[Shown]:
    """The world of the other file, and more."""
    installed = shown.installed
    installed.apply(*MORE)
    for name in SPACES:
        installed.wait("domainprofile", name, name, seconds=60)
    installed.until(lambda: _all_are_broken(shown), seconds=120, what="all violations in status")
    installed.rests()
    shown.look()
    for one in installed.all(MORE_KINDS):
        if one["metadata"]["name"] != "kube-root-ca.crt":
            shown.objects[one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]] = json.dumps(one)
    yield shown


def may(world: Shown, who: Person, place: Place) -> bool:
    """What `kubectl auth can-i get` says."""
    kind, namespace, name = place
    if kind not in PLURALS:
        return world.may(who, "get", place)
    key = (who, "get", place)
    if key not in world.allowed:
        where = ("-n", namespace) if namespace else ("--all-namespaces",)
        try:
            said = world.installed.cluster.kubectl("auth", "can-i", "get", f"{PLURALS[kind]}/{name}", *where, *who.flags)
        except Exception:
            said = "no"
        world.allowed[key] = said.startswith("yes")
    return world.allowed[key]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("who", READERS, ids=lambda who: who.user)
def test_nothing_is_shown_that_may_not_be_read(
    world: Shown, capfd: pytest.CaptureFixture[str], who: Person, command: tuple[str, ...]
) -> None:
    said = world.run(capfd, who, *command)
    given = world.words(" ".join(command)) | {word for word in ("mark-textvault", "mark-profilevault") if word[5:] in command}
    leaked = [word for word in world.words(said) - given if not any(may(world, who, place) for place in world.holders(word))]
    assert leaked == [], said
    assert "Traceback" not in said


@pytest.mark.parametrize("who", READERS, ids=lambda who: who.user)
def test_profiles_documentation_and_violations_are_shown_to_whoever_may_read_them(
    world: Shown, capfd: pytest.CaptureFixture[str], who: Person
) -> None:
    """Else the probes would pass on commands that show nothing."""
    page = world.run(capfd, who, "describe", "domain/sales")
    sees_domain = may(world, who, ("Domain", "", "sales"))
    sees_profile = sees_domain and may(world, who, ("DomainProfile", "sales", "sales"))
    assert ("mark-profilesales" in page, "mark-membersales" in page) == (sees_profile, sees_profile)
    product = world.run(capfd, who, "describe", "vault/mark-ledger")
    assert ("mark-brokenvault" in product) == may(world, who, ("DataProduct", "vault", "mark-ledger"))


def test_the_five_see_different_things_of_it(world: Shown) -> None:
    assert len(READERS) * len(COMMANDS) >= 60
    added = [
        place for place in world.objects if place[0] in ("DomainProfile", "ConfigMap", "DomainPolicy", "GovernancePolicy", "PolicyWaiver")
    ]
    seen = {who: frozenset(place for place in added if may(world, who, place)) for who in READERS}
    assert seen[NOBODY] == frozenset()
    assert seen[OWNER] and seen[ENGINEER] and seen[OWNER] != seen[ENGINEER] and seen[FINDER] != seen[OWNER]


def test_every_command_that_reads_the_cluster_is_asked_in_one_of_both_files() -> None:
    from typer.main import get_command

    application.load_commands()
    commands = set(getattr(get_command(application.app), "commands"))  # noqa: B009 - typer's own type has it
    assert commands - {one[0] for one in (*first.COMMANDS, *COMMANDS)} <= {"check", "doctor", "policies"}
