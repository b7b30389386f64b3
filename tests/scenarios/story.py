"""A story with a bit of everything; prints a digest of its history. Run by test_determinism.py in new interpreters."""

import hashlib
import json

from minik8s import lab

k = lab.connect(nodes=3, seed=7)
k.apply("manifests/shop.yaml")
k.wait("deployment/shop")
k.scale("deployment/shop", 5)
k.wait("deployment/shop")
k.nodes.crash("node-2")
k.sleep(420)
k.nodes.recover("node-2")
k.patch("deployment/shop", {"spec": {"template": {"metadata": {"labels": {"version": "two"}}}}})
k.wait("deployment/shop", timeout=600)
k.delete("deployment/shop")
k.sleep(60)

cluster = k.place.cluster
history = {
    "records": [list(record) for record in cluster.trace.records],
    "events": [[e.revision, e.type, list(e.key), e.object, e.time] for e in cluster.store.events],
}
text = json.dumps(history, ensure_ascii=False)
print(len(history["events"]), hashlib.sha256(text.encode()).hexdigest())
