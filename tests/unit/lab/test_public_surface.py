"""What a notebook may rely on. A change here is a change of the book."""

from minik8s import lab


def public(thing):
    return sorted(name for name in vars(thing) if not name.startswith("_"))


def test_what_lab_offers():
    assert sorted(lab.__all__) == ["Lab", "View", "assignment", "choose", "condition", "connect", "incident"]


def test_what_k_offers():
    wanted = {
        "api_client",
        "apply",
        "checks",
        "cleanup",
        "delete",
        "elapsed",
        "find",
        "get",
        "journey",
        "kubectl",
        "list",
        "map",
        "patch",
        "pods",
        "scale",
        "sleep",
        "timeline",
        "wait",
    }
    assert wanted <= set(public(lab.Lab))


def test_the_official_api_classes_by_short_name():
    k = lab.connect(nodes=1)
    assert type(k.core).__name__ == "CoreV1Api"
    assert type(k.apps).__name__ == "AppsV1Api"
    assert type(k.batch).__name__ == "BatchV1Api"
