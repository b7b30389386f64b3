"""The link that a class gets for a lab on its hub, in the form that nbgitpuller documents."""

from urllib.parse import parse_qs, urlsplit

import pytest

from minik8s.edge.cli import main
from minik8s.grading.course import CourseError
from minik8s.grading.links import hub_link

REPO = "https://git.example/team/minik8s.git"


def test_a_link_pulls_the_repository_and_opens_the_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", "link", "--hub", "https://hub.example/", "--repo", REPO, "09-rollouts"]) == 0
    link = urlsplit(capsys.readouterr().out.strip())
    assert (link.netloc, link.path) == ("hub.example", "/hub/user-redirect/git-pull")
    assert parse_qs(link.query) == {
        "repo": [REPO], "branch": ["main"], "urlpath": ["lab/tree/minik8s/labs/notebooks/09-rollouts.md"]
    }


def test_without_a_lab_the_folder_is_opened() -> None:
    assert hub_link("https://hub.example", REPO, branch="b").endswith("urlpath=lab%2Ftree%2Fminik8s%2Flabs%2Fnotebooks")


def test_what_is_no_address_is_told() -> None:
    with pytest.raises(CourseError, match="--hub"):
        hub_link("hub.example", REPO)
