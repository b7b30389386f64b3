"""Subresources, one file each: (kind, subresource, verb) -> handler."""
