"""What policies cost: a change of policies that judge 1,000 products by 30 rules, and what other work has to wait meanwhile."""

import threading
import time
from typing import Any, Final

from tests.bench.api import PRODUCTS, Raw, cpu_of, in_parallel, percentile
from tests.support.failover import proposed
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_policy, a_rule

POLICIES, RULES = 3, 10
USER: Final = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"
_MOST: Final = 300.0
_NEIGHBOURS: Final = 30
_STEP: Final = 2.0


def measure(mesh: Installation, products: int) -> dict[str, Any]:
    """Seconds until every product says what it violates, until none does, and of looks at other products meanwhile."""
    raw = Raw(mesh.cluster)
    names = [f"judged-{number:04}" for number in range(products)]
    in_parallel(lambda name: raw.send("POST", PRODUCTS, proposed(name)), names)
    neighbours = names[:_NEIGHBOURS]
    mesh.until(lambda: _told(raw, "Ready") >= products, seconds=_MOST, what="all products")
    alone = _looks(raw, neighbours)
    pid = mesh.kubelet.pods()[0].pid
    found: dict[str, Any] = {"products": products, "rules": POLICIES * RULES, "look_p99_ms": percentile(alone, 0.99)}
    for name, expression in (("violated", "object.spec.classification == 'public'"), ("kept", "object.spec.classification != 'public'")):
        mark, cpu, began = mesh.cluster.audit.mark(), cpu_of(pid), time.monotonic()
        others: list[float] = []
        busy = threading.Thread(target=lambda kept=others: kept.extend(_looks(raw, neighbours)))
        for number in range(POLICIES):
            mesh.apply(policy(number, expression))
        busy.start()
        wanted = "False" if name == "violated" else "True"
        mesh.until(lambda status=wanted: _told(raw, "PoliciesCompliant", status) >= products, seconds=_MOST, what=name)  # type: ignore[misc]
        found[f"{name}_seconds"] = time.monotonic() - began
        busy.join()
        found[f"{name}_look_p99_ms"] = percentile(others, 0.99)
        found[f"{name}_cpu_seconds"] = cpu_of(pid) - cpu
        writes = [one for one in mesh.cluster.audit.read(since=mark, user=USER) if one.writes and one.resource == "dataproducts"]
        found[f"{name}_writes_per_product"] = len(writes) / products
    return found


def policy(number: int, expression: str) -> dict[str, Any]:
    """A policy on what is proposed, with rules that say the same in different words."""
    rules = [a_rule(f"r{rule}", f"{expression} && {rule} >= 0 && size(object.spec.description.purpose) > {rule}") for rule in range(RULES)]
    return a_policy(f"bench-{number}", targets={"kinds": ["DataProduct"], "lifecycle": ["proposed"]}, rules=rules)


def _told(raw: Raw, type_: str, status: str = "True") -> int:
    time.sleep(_STEP)
    found = raw.send("GET", PRODUCTS)["items"]
    wanted = (type_, status)
    return sum(any((c["type"], c["status"]) == wanted for c in one.get("status", {}).get("conditions", ())) for one in found)


def _looks(raw: Raw, names: list[str]) -> list[float]:
    """Milliseconds until each product that is asked for a look had it, one after the other."""
    taken = []
    for name in names:
        began = time.monotonic()
        raw.nudge(name)
        asked = raw.send("GET", f"{PRODUCTS}/{name}")["metadata"]["annotations"]["clouddatamesh.dev/reconcile-requested-at"]
        while raw.send("GET", f"{PRODUCTS}/{name}")["status"].get("lastHandledReconcileAt") != asked:
            time.sleep(0.005)
        taken.append((time.monotonic() - began) * 1000)
    return taken
