"""From an ObjectStore's spec and its Secret to a Connection."""

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import EXPECTED_OWNER
from clouddatamesh.model.identity import Connection
from clouddatamesh.plan.features import settings_of
from clouddatamesh.ports import Cluster

_FIELDS = ("access-key-id", "secret-access-key")


def connection_of(store: ObjectStore, cluster: Cluster) -> Connection:
    """How the store is reached now. A missing Secret or key is Terminal(CredentialsMissing) and names it."""
    spec = store.spec
    key_id, secret = _credentials(store, cluster)
    settings = settings_of(store)
    return Connection(
        region=spec.region,
        endpoint=spec.endpoint_url,
        iam_endpoint=spec.iam_endpoint_url or spec.endpoint_url,
        addressing_style=spec.addressing_style or ("path" if spec.endpoint_url else "virtual"),
        ca_bundle=spec.ca_bundle,
        access_key_id=key_id,
        secret_access_key=secret,
        expected_owner=(store.status.account or None) if EXPECTED_OWNER in settings else None,
        settings=settings,
    )


def _credentials(store: ObjectStore, cluster: Cluster) -> tuple[str | None, str | None]:
    reference = store.spec.credentials_secret_ref
    if reference is None:
        return None, None
    data = cluster.get_own_secret(reference.name)
    if data is None:
        why = f"Secret {reference.name}, named in spec.credentialsSecretRef, does not exist in the operator's namespace"
        raise Terminal(reasons.CREDENTIALS_MISSING, why, condition="CredentialsValid")
    missing = [field for field in _FIELDS if not data.get(field)]
    if missing:
        why = f"Secret {reference.name}, named in spec.credentialsSecretRef, lacks {' and '.join(missing)}"
        raise Terminal(reasons.CREDENTIALS_MISSING, why, condition="CredentialsValid")
    return data[_FIELDS[0]].strip(), data[_FIELDS[1]].strip()
