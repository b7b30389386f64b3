"""Checks of file system paths in volumes and mounts."""

from __future__ import annotations

from minik8s.objects.validation.field import Errors, invalid


def no_backsteps(errors: Errors, target: str, path: str) -> None:
    if ".." in target and ".." in target.split("/"):
        errors.append(invalid(path, target, "must not contain '..'"))


def local_descending_path(errors: Errors, target: str, path: str) -> None:
    if target.startswith("/"):
        errors.append(invalid(path, target, "must be a relative path"))
    no_backsteps(errors, target, path)


def local_non_reserved_path(errors: Errors, target: str, path: str) -> None:
    local_descending_path(errors, target, path)
    if target.startswith("..") and not target.startswith("../"):
        errors.append(invalid(path, target, "must not start with '..'"))
