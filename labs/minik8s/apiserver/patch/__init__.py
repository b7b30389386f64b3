"""The patch formats as pure functions on JSON values: what they do not touch stays shared with the original."""
