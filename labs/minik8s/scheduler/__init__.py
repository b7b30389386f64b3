"""The mini-scheduler: decides as kube-scheduler does, and writes down why."""
