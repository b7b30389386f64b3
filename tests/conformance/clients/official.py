"""What people do with the official client, unchanged; run with `in-process` or with a kubeconfig's path as argument.

Prints `ok MAJOR` at the end. Any version of the client may be first on the path.
"""

import sys
import time

import kubernetes
from kubernetes import client, watch


def connect(where: str):
    """An ApiClient, and what lets time pass."""
    if where == "in-process":
        from minik8s import lab

        k = lab.connect(nodes=2)
        return k.api_client, k.sleep
    from kubernetes import config

    return config.new_client_from_config(where), time.sleep


api, sleep = connect(sys.argv[1])
core, apps, batch = client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api)
space = f"smoke-{kubernetes.__version__.split('.')[0]}"

# Create, read, list, with models and with plain dicts.
core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=space, labels={"made-by": "smoke"})))
core.create_namespaced_config_map(space, {"metadata": {"name": "cfg"}, "data": {"a": "1"}})
assert core.read_namespaced_config_map("cfg", space).data == {"a": "1"}
core.patch_namespaced_config_map("cfg", space, {"data": {"b": "2"}})
assert [c.data for c in core.list_namespaced_config_map(space, field_selector="metadata.name=cfg").items] == [
    {"a": "1", "b": "2"}
]

# A pod, watched until it runs.
container = client.V1Container(
    name="web", image="nginx:1.27", resources=client.V1ResourceRequirements(requests={"cpu": "50m"})
)
pod = client.V1Pod(
    metadata=client.V1ObjectMeta(name="one", labels={"app": "one"}), spec=client.V1PodSpec(containers=[container])
)
core.create_namespaced_pod(space, pod)
phases = []
stream = watch.Watch()
for event in stream.stream(core.list_namespaced_pod, space, label_selector="app=one", timeout_seconds=60):
    phases.append(event["object"].status.phase)
    if phases[-1] == "Running":
        stream.stop()
assert phases[0] == "Pending" and phases[-1] == "Running", phases
assert isinstance(core.read_namespaced_pod_log("one", space), str)

# A deployment, scaled through its subresource.
labels = {"app": "web"}
deployment = client.V1Deployment(
    metadata=client.V1ObjectMeta(name="web"),
    spec=client.V1DeploymentSpec(
        replicas=1,
        selector=client.V1LabelSelector(match_labels=labels),
        template=client.V1PodTemplateSpec(
            metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
        ),
    ),
)
apps.create_namespaced_deployment(space, deployment)
apps.patch_namespaced_deployment_scale("web", space, {"spec": {"replicas": 3}})
for _ in range(120):
    if (apps.read_namespaced_deployment_status("web", space).status.ready_replicas or 0) == 3:
        break
    sleep(0.5)
else:
    raise AssertionError("the deployment never had three ready replicas")

# What goes wrong comes as ApiException with the server's status.
for call, code in (
    (lambda: core.read_namespaced_pod("nope", space), 404),
    (lambda: core.create_namespaced_config_map(space, {"metadata": {"name": "cfg"}}), 409),
    (lambda: core.create_namespaced_config_map(space, {"metadata": {"name": "Bad_Name"}}), 422),
):
    try:
        call()
    except client.ApiException as error:
        assert error.status == code, (error.status, error.body)
    else:
        raise AssertionError(f"expected {code}")

core.delete_namespaced_pod("one", space, grace_period_seconds=0)
core.delete_namespace(space)
print("ok", kubernetes.__version__.split(".")[0])
