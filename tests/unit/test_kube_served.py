"""What the API server says that it serves, by the path of a collection or of an object in one."""

from typing import Any

import pytest

from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.served import is_served

SERVED = {"/api/v1": ("pods", "namespaces"), "/apis/apps/v1": ("deployments",)}


class Server:
    """It has one group, and none of any other version."""

    def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        assert method == "GET"
        if path == "/apis":
            return {"kind": "APIGroupList", "groups": [{"name": "apps"}]}
        if path not in SERVED:
            raise ApiError(404, b"")
        return {"kind": "APIResourceList", "resources": [{"name": name} for name in SERVED[path]]}


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/api/v1/namespaces", True),
        ("/api/v1/namespaces/sales", True),
        ("/api/v1/namespaces/sales/pods", True),
        ("/api/v1/namespaces/sales/pods/one", True),
        ("/api/v1/namespaces/sales/nothings", False),
        ("/api/v1/pods", True),
        ("/apis/apps/v1/deployments", True),
        ("/apis/apps/v1/namespaces/sales/deployments/one", True),
        ("/apis/apps/v1/statefulsets", False),
        ("/apis/clouddatamesh.dev/v1alpha1/domains/sales", False),
    ],
)
def test_a_kind_is_served_where_the_api_server_lists_it(path: str, served: bool) -> None:
    assert is_served(Server(), path) is served
