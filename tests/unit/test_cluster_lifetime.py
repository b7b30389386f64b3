"""A class makes clusters by the hundred in one process: one that nobody holds any more must go."""

import gc
import weakref

from minik8s.cluster import Cluster
from minik8s.wire import UserInfo


def test_a_forgotten_cluster_leaves_nothing_behind() -> None:
    cluster = Cluster(nodes=1)
    cluster.client("jane", UserInfo("jane", "", ("system:authenticated",))).call("GET", "/version")
    held = [weakref.ref(part) for part in (cluster, cluster.apiserver, cluster.clock)]
    del cluster
    gc.collect()
    assert [ref() for ref in held] == [None, None, None]
