"""kr8s, unchanged, against a kubeconfig's server."""

import sys

import kr8s
from kr8s.objects import ConfigMap, Pod

api = kr8s.api(kubeconfig=sys.argv[1])
assert len(list(api.get("nodes"))) == 3
settings = ConfigMap({"metadata": {"name": "kr8s", "namespace": "default"}, "data": {"a": "1"}}, api=api)
settings.create()
settings.patch({"data": {"a": "2"}})
assert ConfigMap.get("kr8s", namespace="default", api=api).data.a == "2"
settings.delete()
pod = Pod(
    {
        "metadata": {"name": "kr8s", "namespace": "default"},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    },
    api=api,
)
pod.create()
pod.wait("condition=Ready", timeout=60)
pod.delete()
print("ok")
