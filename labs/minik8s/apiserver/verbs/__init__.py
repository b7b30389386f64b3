"""The verbs of the API, one file each; each takes a `Call` and gives a `Response`."""
