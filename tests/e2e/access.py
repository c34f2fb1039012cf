"""What owners and consumers do about access on a running mesh, and what is left of it in cluster and store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.support.manifests import a_grant, a_request

Manifest = dict[str, Any]
PORT = {"name": "daily", "version": "1.0.0"}
BODY = b"one row\n"


@dataclass(frozen=True)
class Deal:
    """A request, and the grant that answers exactly it."""

    request: Manifest
    grant: Manifest

    @property
    def name(self) -> str:
        return str(self.request["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.request["metadata"]["namespace"])


def a_deal(
    name: str, product: str, *, consumer: Mapping[str, Any], namespace: str = "inventory", port: Mapping[str, str] = PORT, **spec: Any
) -> Deal:
    """Both manifests, alike in what they have in common; `product` is namespace/name, other arguments are fields of the grant."""
    place, _, offered = product.partition("/")
    alike = {"outputPort": dict(port), "consumer": dict(consumer), "mode": spec.pop("mode", "ReadOnly")}
    request = a_request(name, namespace, dataProductRef={"namespace": place, "name": offered}, secretName=name, **alike)
    asked = {"namespace": namespace, "name": name}
    return Deal(request, a_grant(f"for-{name}", place, dataProductRef={"name": offered}, requestRef=asked, **alike, **spec))


def is_allowed(call: Callable[[], object]) -> bool:
    """Whether the store does what it is asked; any error but a refusal is raised."""
    try:
        call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


@dataclass(frozen=True)
class Access:
    """Access that stands: the consumer's own key, and what it is for. It keeps the key also when the Secret is gone."""

    mesh: Actors
    store: Store
    deal: Deal
    secret: Mapping[str, str]
    principal: str

    @classmethod
    def of(cls, mesh: Actors, deal: Deal, store: Store | None = None) -> "Access":
        """Read it from the request's status and Secret, as the consumer finds it."""
        status = mesh.installed.get("areq", deal.name, deal.namespace)["status"]
        return cls(mesh, store or mesh.store, deal, mesh.installed.secret(status["binding"]["name"], deal.namespace), status["principal"])

    @classmethod
    def given(cls, mesh: Actors, deal: Deal) -> "Access":
        """Apply both manifests and wait until the port is read."""
        mesh.installed.apply(deal.request, deal.grant)
        mesh.installed.wait("areq", deal.name, deal.namespace)
        access = cls.of(mesh, deal)
        assert access.reads()
        return access

    def client(self, service: str = "s3") -> Any:
        return self.store.client(service, access_key=self.secret["access-key-id"], secret_key=self.secret["secret-access-key"])

    @property
    def seed(self) -> str:
        """The key of an object within the port."""
        return self.secret["prefix"] + "seed"

    def reads(self) -> bool:
        """Whether this very key reads an object of the port now."""
        s3 = self.client()
        return is_allowed(lambda: s3.get_object(Bucket=self.secret["bucket"], Key=self.seed))

    def request(self) -> Manifest:
        return self.mesh.installed.get("areq", self.deal.name, self.deal.namespace)

    def condition(self, type_: str = "Ready") -> dict[str, Any]:
        return condition_of(self.request(), type_)

    def says(self, reason: str, *, type_: str = "Ready") -> None:
        """Wait until a condition of the request has a reason."""
        self.mesh.installed.until(lambda: self.condition(type_).get("reason") == reason, what=f"{self.deal.name} {reason}")

    def ends(self, *, seconds: float = 10) -> None:
        """The key is refused within a bound, and nothing of it is left in store and cluster a moment later."""
        s3 = self.client()
        bucket, key = self.secret["bucket"], self.seed
        refused = lambda: not is_allowed(lambda: s3.get_object(Bucket=bucket, Key=key))  # noqa: E731
        self.mesh.installed.until(refused, seconds=seconds, what=f"the refusal of {self.deal.name}")
        self.mesh.installed.until(lambda: not self.remains(), seconds=seconds, what=f"the end of {self.deal.name}")
        assert not self.reads()

    def remains(self) -> list[str]:
        """What root sees in the store, and an admin in the cluster: user, policies and keys, Secret."""
        left = ["Secret"] if self.mesh.installed.get("secret", self.deal.request["spec"]["secretName"], self.deal.namespace) else []
        iam = self.store.client("iam")
        try:
            iam.get_user(UserName=self.principal)
            policies = iam.list_user_policies(UserName=self.principal)["PolicyNames"]
            keys = [key["AccessKeyId"] for key in iam.list_access_keys(UserName=self.principal)["AccessKeyMetadata"]]
        except iam.exceptions.NoSuchEntityException:  # also between two of these
            return left
        return [*left, "user", *policies, *keys]


def condition_of(manifest: Manifest, type_: str = "Ready") -> dict[str, Any]:
    """One condition of an object, empty where it has none."""
    conditions = manifest.get("status", {}).get("conditions", ())
    return next((dict(found) for found in conditions if found["type"] == type_), {})
