"""The figures of access: a grant until it is used, a revocation until it bites, and many of both at once."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from botocore.credentials import Credentials

from clouddatamesh.plan import names as naming
from hack.tools.audit import Request
from tests.bench.api import API, in_parallel, is_ready, percentile
from tests.bench.api import ReadyWatch as Watch
from tests.bench.figures import Bench, by_kind, writes_of
from tests.bench.reads import Reader, credentials_of
from tests.bench.replay_access import AccessReplay, Ask
from tests.support.manifests import a_domain, a_product

PRODUCTS = [f"offered-{n}" for n in range(20)]
CONSUMERS = [f"consumer-{n}" for n in range(4)]
OBJECT = "daily/one.txt"
AT_A_TIME = 10
_WAIT = 1800
_COUNTED = 1.3
"""Seconds after which the products around a request have counted it, and the operator is idle again."""
_SHARED = ("dataproducts", "domains", "objectstores", "leases")


class Access:
    """Twenty products that are asked for from four other domains."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._raw = bench, bench.raw
        self._asks: dict[str, Ask] = {}
        self._offer()
        self._buckets = {name: self._bucket_of(name) for name in PRODUCTS}
        bench.store.client("s3").put_object(Bucket=self._buckets[PRODUCTS[0]], Key=OBJECT, Body=b"one row\n")
        self._reader = Reader(bench.store, self._buckets[PRODUCTS[0]], OBJECT)
        self._replay = AccessReplay(bench.raw, bench.store, self._buckets)
        self._requests = Watch(bench.raw, f"{API}/accessrequests", ready=is_ready, waiting=_is_waiting, ended=_has_ended)
        self._secrets = Watch(bench.raw, f"/api/v1/namespaces/{CONSUMERS[0]}/secrets", ready=lambda _: True)

    def _offer(self) -> None:
        mesh = self._bench.mesh
        mesh.apply(*(a_domain(name) for name in CONSUMERS))
        for name in CONSUMERS:
            mesh.wait("domain", name)
        mesh.apply(*(a_product(name) for name in PRODUCTS), *(a_product("forecast", name) for name in CONSUMERS))
        self._bench.watch.wait(PRODUCTS, seconds=120)
        for name in CONSUMERS:
            mesh.wait("dataproduct", "forecast", name)

    def _bucket_of(self, product: str) -> str:
        return str(self._raw.send("GET", f"{API}/namespaces/sales/dataproducts/{product}")["status"]["storage"]["bucket"])

    def _ask(self, prefix: str, count: int, *, spread: bool = False) -> list[str]:
        """Requests yet to be made: all for one product from one domain, or spread over all."""
        names = [f"{prefix}-{n}" for n in range(count)]
        for n, name in enumerate(names):
            self._asks[name] = Ask(name, CONSUMERS[n % len(CONSUMERS) * spread], PRODUCTS[n % len(PRODUCTS) * spread])
        return names

    def _wait_for_answers(self, names: list[str]) -> None:
        in_parallel(lambda name: self._asks[name].ask(self._raw), names)
        self._requests.wait(names, seconds=_WAIT, state="waiting")
        self._bench.rest()

    # One at a time.

    def latency(self, count: int) -> dict[str, Any]:
        """Grant to first read, revocation to refusal, end to refusal; the calls of the first two by hand."""
        names, ending = self._ask("timed", count), self._ask("ending", count)
        self._wait_for_answers([*names, *ending])
        given, taken = zip(*map(self._time_one, names), strict=True)
        ended = [moment for start in range(0, count, AT_A_TIME) for moment in self._time_ends(ending[start : start + AT_A_TIME])]
        hands = self._ask("timed-hand", count)
        with self._bench.replayed(hands, self._forget):
            in_parallel(lambda name: self._asks[name].ask(self._raw), hands)
            given_by_hand, taken_by_hand = zip(*map(self._time_by_hand, hands), strict=True)
        return {
            "count": count,
            **_percentiles("granted_to_read", given, given_by_hand),
            **_percentiles("revoked_to_refused", taken, taken_by_hand),
            **_percentiles("expired_to_refused", ended, taken_by_hand),
        }

    def _time_one(self, name: str) -> tuple[float, float]:
        """Milliseconds from the answer to POST until a read works, and from the answer to DELETE until it is refused."""
        self._asks[name].grant(self._raw)
        granted = time.monotonic()
        self._secrets.wait([name], seconds=30)
        key = credentials_of(self._secrets.found(name))
        read = self._reader.until(200, key)
        self._requests.wait([name], seconds=30)
        time.sleep(_COUNTED)
        return (read - granted) * 1000, self._time_revocation(name, key)

    def _time_revocation(self, name: str, key: Credentials) -> float:
        self._asks[name].revoke(self._raw)
        revoked = time.monotonic()
        refused = self._reader.until(403, key)
        self._requests.wait([name], seconds=30, state="ended")
        time.sleep(_COUNTED)
        return (refused - revoked) * 1000

    def _time_ends(self, names: list[str]) -> list[float]:
        """Grants that end one second after the other; each is read from a moment before its end until that is refused."""
        first = int(time.time()) + 6
        ends = {name: first + n for n, name in enumerate(names)}
        in_parallel(lambda name: self._asks[name].grant(self._raw, validUntil=f"{datetime.fromtimestamp(ends[name], UTC):%FT%TZ}"), names)
        self._requests.wait(names, seconds=30)
        self._secrets.wait(names, seconds=30)
        taken = [self._time_end(name, ends[name]) for name in names]
        self._requests.wait(names, seconds=30, state="ended")
        return taken

    def _time_end(self, name: str, end: float) -> float:
        key = credentials_of(self._secrets.found(name))
        time.sleep(max(end - 0.1 - time.time(), 0))
        if self._reader.read(key) != 200:
            raise RuntimeError(f"{name} is refused before its end, or was given too late")
        clock = end - time.time() + time.monotonic()
        return (self._reader.until(403, key) - clock) * 1000

    def _time_by_hand(self, name: str) -> tuple[float, float]:
        ask = self._asks[name]
        ask.grant(self._raw)
        granted = time.monotonic()
        key = credentials_of(self._replay.provide(ask))
        read = self._reader.until(200, key)
        self._replay.finish(ask)
        ask.revoke(self._raw)
        with ThreadPoolExecutor(1) as pool:
            revoked = time.monotonic()
            cut = pool.submit(self._replay.cut, ask)
            refused = self._reader.until(403, key)
            cut.result()
        self._replay.clear(ask)
        return (read - granted) * 1000, (refused - revoked) * 1000

    def _forget(self, name: str) -> None:
        self._replay.forget(self._asks[name])

    # Many at once.

    def burst(self, count: int, quiet_seconds: float) -> dict[str, Any]:
        """Many requests wait; all are granted at once, left alone, carried over a restart, and revoked at once."""
        names = self._ask("many", count, spread=True)
        self._wait_for_answers(names)
        given = self._change("grant", names, lambda name: self._asks[name].grant(self._raw), "ready")
        held = {
            "memory_mb": self._bench.memory(),
            **_named("quiet", self._bench.quiet(quiet_seconds)),
            **_named("restart", self._bench.restart()),
        }
        taken = self._change("revocation", names, lambda name: self._asks[name].revoke(self._raw), "ended")
        left = _named("left", self._count_left())
        by_hand = self._replay_burst(count)
        ratios = {f"{what}_ratio": {**given, **taken}[f"{what}_s"] / by_hand[f"{what}_by_hand_s"] for what in ("grant", "revocation")}
        return {"count": count, **given, **held, **taken, **by_hand, **ratios, **left}

    def _change(self, what: str, names: list[str], act: Callable[[str], object], state: str) -> dict[str, Any]:
        """Seconds of one act on all at once until all are in a state, and the requests that it took."""
        took: dict[str, float] = {}

        def change() -> None:
            started, cpu = time.monotonic(), self._bench.cpu()
            took["applied"] = in_parallel(act, names)
            took["all"] = max(self._requests.wait(names, seconds=_WAIT, state=state).values()) - started
            took["cpu"] = self._bench.cpu() - cpu

        asked, stored = self._bench.count(change)
        looks = [request for request in asked if request.verb == "get" and request.name.endswith("-producer")]
        own = [request for request in asked if request.resource not in _SHARED and request not in looks]
        return {
            f"{what}_s": took["all"],
            f"{what}_applied_s": took["applied"],
            f"{what}_operator_cpu_s": took["cpu"],
            f"{what}_per_second": len(names) / took["all"],
            f"{what}_store_calls": stored / len(names),
            f"{what}_writes": writes_of(own) / len(names),
            f"{what}_reads": _reads_of(own) / len(names),
            f"{what}_looks_at_products": len(looks),
            f"{what}_kubernetes": by_kind(asked),
        }

    def _replay_burst(self, count: int) -> dict[str, float]:
        hands, store = self._ask("many-hand", count, spread=True), self._bench.store
        with self._bench.replayed(hands, self._forget):
            in_parallel(lambda name: self._asks[name].ask(self._raw), hands)
            before = store.requests()
            given = in_parallel(lambda name: self._replay.give(self._asks[name]), hands)
            between = store.requests()
            taken = in_parallel(lambda name: self._replay.take(self._asks[name]), hands)
            calls = {"grant_by_hand_store_calls": (between - before) / count}
            calls["revocation_by_hand_store_calls"] = (store.requests() - between) / count
        return {"grant_by_hand_s": given, "revocation_by_hand_s": taken, **calls}

    def _count_left(self) -> dict[str, int]:
        """What stands in the store and the cluster beyond one user, policy, key and Secret of each product."""
        iam, mesh = self._bench.store.client("iam"), self._bench.mesh.mesh
        products = [product["status"]["producer"]["principal"] for product in self._list("dataproducts")]
        users = [user for user in self._bench.store.users(naming.mesh_path(mesh)) if not user.startswith("mesh.marker-")]
        secrets = self._raw.send("GET", "/api/v1/secrets?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dclouddatamesh")["items"]
        ours = [secret for secret in secrets if secret.get("type") == "servicebinding.io/s3"]
        return {
            "users": len(set(users) - set(products)),
            "policies": sum(len(iam.list_user_policies(UserName=user)["PolicyNames"]) for user in users) - len(products),
            "keys": sum(len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) for user in users) - len(products),
            "secrets": len(ours) - len(products),
            "grants_held": sum("deletionTimestamp" in grant["metadata"] for grant in self._list("accessgrants")),
        }

    def _list(self, plural: str) -> list[dict[str, Any]]:
        return list(self._raw.send("GET", f"{API}/{plural}")["items"])


def _is_waiting(request: dict[str, Any]) -> bool:
    return _reason(request) == "AwaitingGrant"


def _has_ended(request: dict[str, Any]) -> bool:
    """Access was taken away and read back as gone."""
    return _reason(request) in ("Revoked", "Expired") and "principal" not in request["status"]


def _reason(request: dict[str, Any]) -> str:
    conditions = request.get("status", {}).get("conditions", ())
    return next((str(found["reason"]) for found in conditions if found["type"] == "Ready"), "")


def _reads_of(requests: Iterable[Request]) -> int:
    return sum(not request.writes and request.verb != "watch" for request in requests)


def _named(what: str, figures: dict[str, Any]) -> dict[str, Any]:
    return {f"{what}_{name}": value for name, value in figures.items()}


def _percentiles(what: str, taken: Iterable[float], by_hand: Iterable[float]) -> dict[str, float]:
    figures = {f"{what}_p{share}_ms": percentile(list(taken), share / 100) for share in (50, 99)}
    hand = {f"{what}_by_hand_p{share}_ms": percentile(list(by_hand), share / 100) for share in (50, 99)}
    return {**figures, **hand, f"{what}_ratio_p50": figures[f"{what}_p50_ms"] / hand[f"{what}_by_hand_p50_ms"]}
