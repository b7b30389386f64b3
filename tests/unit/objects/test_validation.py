"""The rules behind 422: Kubernetes' words, and rules that recordings do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.objects import Object, freeze
from minik8s.objects.defaults import apply_defaults, prepare_create, prepare_update
from minik8s.objects.kinds import BUILTIN, Kind
from minik8s.objects.schema import decode
from minik8s.objects.validation import validate_create, validate_subresource_update, validate_update
from minik8s.objects.validation.cron import is_time_zone, schedule_error
from minik8s.objects.validation.field import Errors, GoValue, aggregate, invalid, quote, required
from minik8s.objects.validation.goformat import diff, dump
from minik8s.objects.validation.ips import valid_cidr, valid_ip


def kind_of(word: str) -> Kind:
    found = BUILTIN.find(word)
    assert found is not None
    return found


def made(word: str, fields: Object) -> Object:
    kind = kind_of(word)
    metadata = {"name": "a", **({"namespace": "default"} if kind.namespaced else {}), **fields.get("metadata", {})}
    result = decode(kind, {"apiVersion": kind.api_version, "kind": kind.kind, **fields, "metadata": metadata})
    assert not result.error
    result.object["metadata"]["uid"] = "u"
    return prepare_create(kind, apply_defaults(kind, result.object))


def faults(word: str, fields: Object) -> list[str]:
    return [str(error) for error in validate_create(kind_of(word), made(word, fields))]


def pod(**container: Any) -> Object:
    more = container.pop("spec", {})
    return {"spec": {"containers": [{"name": "c", "image": "i", **container}], **more}}


def template(**spec: Any) -> Object:
    return {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def spread(key: str, selector: Object | None) -> Object:
    """A pod with a constraint that names one of its own labels in matchLabelKeys."""
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": [key],
                  **({"labelSelector": selector} if selector else {})}
    labels = {"tier": "x", "app": "web"}
    return {**pod(spec={"topologySpreadConstraints": [constraint]}), "metadata": {"labels": labels}}


SELECTOR = {"matchLabels": {"a": "b"}}
C = "spec.containers[0]"


@pytest.mark.parametrize(
    ("word", "fields", "expected"),
    [
        ("pods", pod(), []),
        ("pods", pod(name="A.b"), [f'{C}.name: Invalid value: "A.b": a lowercase RFC 1123 label must consist of lower '
                                   "case alphanumeric characters or '-', and must start and end with an alphanumeric "
                                   "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                                   "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"]),
        ("pods", spread("tier", {"matchLabels": {"app": "web"}}), []),
        ("pods", spread("tier", {"matchLabels": {"tier": "x"}}),
         ['spec.topologySpreadConstraints[0][0]: Invalid value: "tier": '
          "exists in both matchLabelKeys and labelSelector"]),
        ("pods", spread("tier", None),
         ["spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: "
          "must not be specified when labelSelector is not set"]),
        ("pods", pod(name="a.b"), [f'{C}.name: Invalid value: "a.b": must not contain dots']),
        ("pods", pod(image=" i"), [f'{C}.image: Invalid value: " i": must not have leading or trailing whitespace']),
        ("pods",
         pod(env=[{"name": "a=b"}]), [f'{C}.env[0].name: Invalid value: "a=b": a valid environment variable name '
                                             "must consist only of printable ASCII characters other than '='"]),
        ("pods", pod(env=[{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}]),
         [f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": error converting fieldPath: field '
          "label not supported: spec.nope"]),
        ("pods", pod(env=[{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}]),
         [f'{C}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: '
          '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
          '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']),
        ("pods", pod(livenessProbe={"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}),
         [f"{C}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"]),
        ("pods", pod(ports=[{"containerPort": 1, "hostPort": 2}, {"containerPort": 3, "hostPort": 2}]),
         [f'{C}.ports[1].hostPort: Duplicate value: "TCP//2"']),
        ("pods", pod(resources={"limits": {"example.com/gpu": "1500m"}}),
         [f'{C}.resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer',
          f'{C}.resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer']),
        ("pods", pod(resources={"requests": {"example.com/gpu": "1"}}),
         [f"{C}.resources.limits: Required value: Limit must be set for non overcommitable resources"]),
        ("pods", pod(spec={"tolerations": [{"operator": "Equal", "value": "x"}]}),
         ['spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which '
          'means "match all values and all keys"']),
        ("pods",
         pod(spec={"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "No"}]}),
         ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
          "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
          'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "No": supported values: '
          '"DoNotSchedule", "ScheduleAnyway"']),
        ("pods",
         pod(spec={"initContainers": [{"name": "c", "image": "i", "readinessProbe": {"exec": {"command": ["x"]}}}]}),
         ['spec.initContainers[0].name: Duplicate value: "c"',
          "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
          "restartPolicy=Always"]),
        ("pods", pod(spec={"volumes": [{"name": "v", "nfs": {"server": "s", "path": "p"}}]}),
         ['spec.volumes[0].nfs.path: Invalid value: "p": must be an absolute path']),
        ("deploy", {"spec": {"selector": {}, "template": template()}},
         ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        ("deploy", {"spec": {"selector": SELECTOR, "template": template(), "minReadySeconds": 600}},
         ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"]),
        ("deploy", {"spec": {"selector": SELECTOR, "template": template(),
                             "strategy": {"rollingUpdate": {"maxUnavailable": "101%", "maxSurge": "x"}}}},
         ['spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string '
          "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
          'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
        ("ds", {"spec": {"selector": SELECTOR, "template": template(),
                         "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}}},
         ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
          "non-zero"]),
        ("sts", {"spec": {"selector": SELECTOR, "podManagementPolicy": "Any",
                          "template": template(containers=[{"name": "c", "image": "i", "volumeMounts": [
                              {"name": "data", "mountPath": "/d"}]}]),
                          "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                              "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}},
         ['spec.podManagementPolicy: Invalid value: "Any": must be \'OrderedReady\' or \'Parallel\'']),
        ("cj", {"spec": {"schedule": "TZ=UTC 0 * * * *", "jobTemplate": {"spec": {
            "template": template(restartPolicy="Never")}}}},
         ['spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field '
          "instead"]),
        ("jobs", {"spec": {"completionMode": "Indexed", "template": template(restartPolicy="Never")}}, []),
        ("jobs", {"spec": {"backoffLimitPerIndex": 1, "template": template(restartPolicy="Never")}},
         ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
        ("svc", {"spec": {"ports": [{"port": 80}], "clusterIP": "None", "type": "NodePort"}},
         ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
        ("netpol", {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 90, "endPort": 80}], "from": [{}]}]}},
         ["spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
          "spec.ingress[0].from[0]: Required value: must specify a peer"]),
        ("ing", {"spec": {}},
         ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        ("roles", {"rules": [{"nonResourceURLs": ["/x"], "verbs": []}]},
         ["rules[0].verbs: Required value: verbs must contain at least one value",
          'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs']),
        ("quota", {"spec": {"hard": {"cpu": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}},
         ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
          'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes']),
        ("pdb", {"spec": {"minAvailable": "120%"}},
         ['spec.minAvailable: Invalid value: "120%": must not be greater than 100%']),
        ("pc", {"value": 2_000_000_000},
         ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
        ("events", {"involvedObject": {"namespace": "other"}},
         ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']),
        ("events", {"involvedObject": {"namespace": "default"}, "eventTime": "2026-01-01T00:00:00.000000Z",
                    "reportingComponent": "x", "reportingInstance": "y", "action": "z"}, ["reason: Required value"]),
        ("cm", {"data": {"k": "x"}, "binaryData": {"k": "eA=="}},
         ['data[k]: Invalid value: "k": duplicate of key present in binaryData']),
        ("cm", {"metadata": {"annotations": {"k": "x" * (256 * 1024)}}},
         ["metadata.annotations: Too long: may not be more than 262144 bytes"]),
        ("cm", {"metadata": {"labels": {"a/b/c": "x"}}},
         ['metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, \'-\', '
          "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
          "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
          "subdomain prefix and '/' (e.g. 'example.com/MyName')"]),
    ])
def test_errors_of_new_objects(word: str, fields: Object, expected: list[str]) -> None:
    assert faults(word, fields) == expected


def updated(word: str, fields: Object, change: Object) -> list[str]:
    kind = kind_of(word)
    old = freeze(made(word, {**fields, "metadata": {"resourceVersion": "1", **fields.get("metadata", {})}}))
    new = prepare_update(kind, apply_defaults(kind, decode(kind, {**old, **change}, old).object), old)
    return list(dict.fromkeys(str(error) for error in validate_update(kind, new, old)))


def test_an_unchanged_object_has_no_errors() -> None:
    for word, fields in (("pods", pod()), ("deploy", {"spec": {"selector": SELECTOR, "template": template()}})):
        assert updated(word, fields, {}) == []


def test_what_may_not_change() -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}}
    changed = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Gi"}}}
    [error] = updated("pvc", claim, {"spec": changed})
    head, _, changes = error.partition("\n")
    assert head == ("spec: Forbidden: spec is immutable after creation except resources.requests and "
                    "volumeAttributesClassName for bound claims")
    assert changes.startswith("@@ -1,6 +1,6 @@\n {\n  \"AccessModes\": [\n-  \"ReadWriteOnce\"\n+  \"ReadWriteMany\"\n")


def test_containers_of_a_pod_may_change_their_image_only() -> None:
    image = {"spec": {"containers": [{"name": "c", "image": "other"}], "terminationGracePeriodSeconds": 30}}
    assert updated("pods", pod(imagePullPolicy="Always"), {"spec": {
        **image["spec"], "containers": [{"name": "c", "image": "other", "imagePullPolicy": "Always"}],
        "enableServiceLinks": True}}) == []
    assert updated("pods", pod(), {"spec": {"containers": []}})[-1] == (
        "spec.containers: Forbidden: pod updates may not add or remove containers")


def test_resize_may_change_cpu_and_memory_only() -> None:
    kind = kind_of("pods")
    old = freeze(made("pods", pod(resources={"requests": {"cpu": "1"}}) | {"metadata": {"resourceVersion": "1"}}))
    container = old["spec"]["containers"][0]

    def resized(**change: Any) -> list[str]:
        new = {**old, "spec": {**old["spec"], "containers": [{**container, **change}]}}
        return [str(error) for error in validate_subresource_update(kind, "resize", new, old)]

    assert resized(resources={"requests": {"cpu": "2"}}) == []
    assert resized(image="x") == ["spec: Forbidden: only cpu and memory resources are mutable"]
    removed = "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"
    assert removed in resized(resources={})
    assert resized(name="d") == [
        "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"]
    more = {**old, "spec": {**old["spec"], "containers": [container, {**container, "name": "d"}]}}
    assert [str(error) for error in validate_subresource_update(kind, "resize", more, old)][-1] == (
        "spec.containers: Forbidden: containers may not be added or removed on resize")


def test_resize_of_init_containers_and_of_whole_pods() -> None:
    kind = kind_of("pods")
    amounts = {"resources": {"requests": {"cpu": "2"}}}
    init = [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "1"}}}]
    old = freeze(made("pods", pod(**amounts, spec={**amounts, "initContainers": init}) | {
        "metadata": {"resourceVersion": "1"}}))

    def resized(**spec: Any) -> list[str]:
        new = {**old, "spec": {**old["spec"], **spec}}
        return [str(error) for error in validate_subresource_update(kind, "resize", new, old)]

    assert resized(initContainers=[{**old["spec"]["initContainers"][0], **amounts}]) == []
    assert resized(resources={"requests": {"cpu": "3"}}) == []
    assert "spec.resources.requests: Forbidden: pod-level resource requests cannot be removed" in resized(
        resources={"requests": {"memory": "1Gi"}})


@pytest.mark.parametrize(("schedule", "error"), [
    ("*/5 * * * *", ""), ("@hourly", ""), ("@every 1h30m", ""), ("0 9 * * mon-fri", ""), ("0 0 1,15 * *", ""),
    ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
    ("60 * * * *", "end of range (60) above maximum (59): 60"),
    ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
    ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
    ("*/0 * * * *", "step of range should be a positive number: */0"),
    ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
    ("1-2-3 * * * *", "too many hyphens: 1-2-3"), ("1/2/3 * * * *", "too many slashes: 1/2/3"),
    ("@often", "unrecognized descriptor: @often")])
def test_cron_schedules(schedule: str, error: str) -> None:
    assert schedule_error(schedule) == error


def test_time_zones() -> None:
    assert is_time_zone("Asia/Seoul") and not is_time_zone("Mars/Base")


@pytest.mark.parametrize(("text", "shown"), [
    ("plain",
     '"plain"'), ('a"b\\', r'"a\"b\\"'), ("a\nb\t", r'"a\nb\t"'), ("한글", '"한글"'), ("\x01\u200b", r'"\x01\u200b"')])
def test_strings_are_quoted_as_in_go(text: str, shown: str) -> None:
    assert quote(text) == shown


def test_structs_in_messages_are_internal_go_structs_and_metav1_types_are_json() -> None:
    assert dump({"protocol": "TCP", "port": 80}, "core.v1.ServicePort") == (
        '{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}')
    assert dump(SELECTOR, "*meta.v1.LabelSelector") == '{"matchLabels":{"a":"b"}}'
    assert str(invalid("x", GoValue(None, "*meta.v1.LabelSelector"), "d")) == "x: Invalid value: null: d"
    assert diff({"port": 1}, {"port": 1}, "core.v1.ServicePort") == ""


def test_repeated_messages_are_told_once() -> None:
    assert aggregate([required("a"), required("a")]) == "a: Required value"
    assert aggregate([required("a"), required("b")]) == "[a: Required value, b: Required value]"


@pytest.mark.parametrize(("text", "legacy", "good"), [
    ("10.0.0.1", False, True), ("010.0.0.1", True, True), ("010.0.0.1", False, False), ("::1", False, True),
    ("0:0::1", False, False), ("::ffff:1.2.3.4", False, False), ("1.2.3", True, False), ("fe80::1%eth0", True, False)])
def test_ip_addresses(text: str, legacy: bool, good: bool) -> None:
    errors: Errors = []
    assert valid_ip(errors, text, "x", legacy=legacy) is good and bool(errors) is not good


@pytest.mark.parametrize(("text", "good"), [
    ("10.0.0.0/8", True), ("10.0.0.1/8", False), ("10.0.0.0/33", False), ("10.0.0.0", False), ("2001:db8::/32", True)])
def test_networks(text: str, good: bool) -> None:
    errors: Errors = []
    assert valid_cidr(errors, text, "x") is good


@pytest.mark.parametrize(("spec", "fault"), [
    ({"hostnameOverride": "a.b", "setHostnameAsFQDN": True},
     "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true"),
    ({"hostnameOverride": "a." * 40 + "b"}, "spec.hostnameOverride: Too long: may not be more than 64 bytes"),
    ({"os": {"name": "windows"}, "securityContext": {"runAsUser": 0}},
     "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod"),
    ({"os": {"name": "linux"}, "securityContext": {"windowsOptions": {}}},
     "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"),
])
def test_host_names_and_operating_systems_of_pods(spec: Object, fault: str) -> None:
    assert faults("pods", pod(spec=spec)) == [fault]


def test_signing_requests() -> None:
    """``pkg/apis/certificates/validation/validation.go``."""
    found = faults("certificatesigningrequests", {"spec": {"request": "", "signerName": "x/y", "usages": ["sign"]}})
    assert [fault.partition(": supported")[0] for fault in found] == [
        'spec.request: Invalid value: "": PEM block type must be CERTIFICATE REQUEST',
        'spec.usages[0]: Unsupported value: "sign"',
        'spec.signerName: Invalid value: "x": should be a domain with at least two segments separated by dots']


def test_an_unknown_source_of_a_metric_is_named_twice() -> None:
    """``validateMetricSpec`` looks at the type before and after the sources."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    found = faults("horizontalpodautoscalers", {"spec": {
        "scaleTargetRef": target, "maxReplicas": 2, "metrics": [{"type": "X"}]}})
    assert [fault.partition(": supported")[0] for fault in found] == [
        'spec.metrics[0].type: Unsupported value: "X"'] * 2


def test_a_volume_attributes_class_has_a_driver_and_parameters_that_stay() -> None:
    kind = kind_of("volumeattributesclasses")
    old = made("volumeattributesclasses", {"driverName": "d.example.com", "parameters": {"a": "b"}})
    assert faults("volumeattributesclasses", {}) == [
        "driverName: Required value", "parameters: Required value: must contain at least one key/value pair"]
    assert [str(e) for e in validate_update(kind, {**old, "driverName": "e.example.com"}, old)] == [
        "driverName: Forbidden: updates to driverName are forbidden."]


def test_drivers_of_volumes_keep_what_they_said() -> None:
    kind = kind_of("csidrivers")
    old = made("csidrivers", {"spec": {"attachRequired": True}})
    new = {**old, "spec": {**old["spec"], "attachRequired": False}}
    assert [str(e) for e in validate_update(kind, new, old)] == [
        "spec.attachedRequired: Invalid value: false: field is immutable"]
    node = made("csinodes", {"spec": {"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": None}]}})
    moved = {**node, "spec": {"drivers": [{**node["spec"]["drivers"][0], "nodeID": "m"}]}}
    assert [str(e) for e in validate_update(kind_of("csinodes"), moved, node)] == [
        'spec.drivers: Invalid value: {"Name":"d","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is'
        " immutable"]


def test_an_autoscaler_may_watch_an_object_of_the_core_group() -> None:
    """``validationOptionsForHorizontalPodAutoscaler``: only the target must name a group, and only when it changes."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {"type": "Object", "object": {
        "metric": {"name": "requests"}, "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"},
        "target": {"type": "Value", "value": "10"}}}
    spec = {"scaleTargetRef": target, "maxReplicas": 2, "metrics": [metric]}
    assert faults("horizontalpodautoscalers", {"spec": spec}) == []
    old = made("horizontalpodautoscalers", {"spec": {**spec, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}})
    assert len(validate_create(kind_of("horizontalpodautoscalers"), old)) == 1
    new = {**old, "spec": {**old["spec"], "maxReplicas": 3}}
    assert validate_update(kind_of("horizontalpodautoscalers"), new, old) == []
