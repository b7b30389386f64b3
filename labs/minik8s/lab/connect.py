"""어디에 이을지 고른다: 내장 클러스터, 또는 허락된 kubeconfig 컨텍스트."""

from __future__ import annotations

import os
from typing import Any

from minik8s.cluster import Cluster
from minik8s.lab import magics
from minik8s.lab.place import Embedded, Place
from minik8s.lab.session import Lab

VARIABLE = "MINIK8S_CONTEXT"
EMBEDDED = "embedded"


def connect(context: str | None = None, *, nodes: int = 3, seed: int = 0, **options: Any) -> Lab:
    """클러스터에 이어 `k`를 돌려준다.

    context: "embedded"(기본), 또는 kubeconfig 컨텍스트 이름. 주지 않으면 환경 변수 MINIK8S_CONTEXT를 본다.
    nodes, seed와 나머지는 내장 클러스터의 크기와 난수 씨앗이다. 같은 씨앗이면 언제나 같은 역사가 펼쳐진다.
    """
    wanted = context or os.environ.get(VARIABLE) or EMBEDDED
    if wanted == EMBEDDED:
        place: Place = Embedded(Cluster(nodes=nodes, seed=seed, **options))
        lab = Lab(place)
    else:
        from minik8s.lab.remote import connect_remote  # needs the official client, so only when asked for

        lab = connect_remote(wanted)
    magics.use(lab)
    return lab
