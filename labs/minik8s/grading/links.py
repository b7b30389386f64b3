"""Links that fetch a repository into a student's home on a hub and open a notebook there (nbgitpuller's URL form)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from minik8s.grading.course import CourseError


def hub_link(hub: str, repo: str, lab: str = "", branch: str = "main") -> str:
    """The link for students. `lab`: a notebook's name below labs/notebooks, "" for that folder. CourseError.

    https://nbgitpuller.readthedocs.io/en/latest/topic/url-options.html
    """
    for what, address in (("--hub", hub), ("--repo", repo)):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise CourseError(f"{what} {address}: `https://…`로 시작하는 주소를 적자.")
    folder = repo.rstrip("/").rpartition("/")[2].removesuffix(".git")
    page = f"lab/tree/{folder}/labs/notebooks" + (f"/{lab.removesuffix('.md')}.md" if lab else "")
    query = urlencode({"repo": repo, "branch": branch, "urlpath": page})
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{query}"
