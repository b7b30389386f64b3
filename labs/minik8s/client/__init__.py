"""What actors hold: typed reads and writes, informer caches, work queues, and the reconciler contract."""

from minik8s.client.api import Client, Transport
from minik8s.client.controller import Context, Controller
from minik8s.client.informer import Informer, Informers
from minik8s.client.recorder import EventRecorder
from minik8s.client.workqueue import WorkQueue

__all__ = ["Client", "Context", "Controller", "EventRecorder", "Informer", "Informers", "Transport", "WorkQueue"]
