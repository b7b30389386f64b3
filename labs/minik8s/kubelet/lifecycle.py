"""The life of a pod and of each of its containers, as two tables.

A table maps (state, event) to (next state, names of actions). The workers in `pod.py` and
`container.py` look moves up here and do what the actions say; the book draws its figures
from the same rows. A pair that is not in a table is ignored: events may come late or twice.
Sources: pkg/kubelet/pod_workers.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class PodState(Enum):
    """Where a pod stands on its node. `phase` in the API is computed from the containers, as upstream."""

    NEW = "New"
    MOUNTING = "Mounting"
    SANDBOX = "Sandbox"
    INITIALIZING = "Initializing"
    RUNNING = "Running"
    TERMINATING = "Terminating"
    REJECTED = "Rejected"
    COMPLETED = "Completed"
    GONE = "Gone"


class PodEvent(Enum):
    """What can happen to a pod on its node."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    MOUNTED = "mounted"
    MOUNT_FAILED = "mount failed"
    SANDBOX_READY = "sandbox ready"
    SANDBOX_LOST = "sandbox lost"
    INITIALIZED = "initialized"
    STOP = "stop"
    ALL_FINISHED = "all finished"
    REMOVED = "removed"


class ContainerState(Enum):
    """Where one container stands."""

    WAITING = "Waiting"
    PULLING = "Pulling"
    PULL_BACKOFF = "ImagePullBackOff"
    CREATING = "Creating"
    CONFIG_ERROR = "CreateContainerConfigError"
    POST_START = "PostStart"
    RUNNING = "Running"
    PRE_STOP = "PreStop"
    STOPPING = "Stopping"
    EXITED = "Exited"
    BACKOFF = "CrashLoopBackOff"
    FINISHED = "Finished"


class ContainerEvent(Enum):
    """What can happen to one container."""

    START = "start"
    PULLED = "pulled"
    PULL_FAILED = "pull failed"
    BACKOFF_OVER = "back-off over"
    STARTED = "started"
    START_HOOK = "started, with postStart hook"
    CONFIG_FAILED = "config failed"
    HOOK_DONE = "hook done"
    EXIT = "exit"
    STOP = "stop"
    STOP_HOOK = "stop, with preStop hook"
    RESTART = "restart at once"
    RESTART_LATER = "restart after back-off"
    FINISH = "no restart"


class Move(NamedTuple):
    """Where an event leads, and what is then done, in order."""

    next: Enum
    actions: tuple[str, ...] = ()


P, PE, C, CE = PodState, PodEvent, ContainerState, ContainerEvent

POD_TABLE: dict[tuple[PodState, PodEvent], Move] = {
    (P.NEW, PE.ADMITTED): Move(P.MOUNTING, ("post_status", "mount_volumes")),
    (P.NEW, PE.REFUSED): Move(P.REJECTED, ("post_rejection",)),
    (P.MOUNTING, PE.MOUNT_FAILED): Move(P.MOUNTING, ("tell_mount_failure", "mount_later")),
    (P.MOUNTING, PE.MOUNTED): Move(P.SANDBOX, ("make_sandbox",)),
    (P.SANDBOX, PE.SANDBOX_READY): Move(P.INITIALIZING, ("start_next",)),
    (P.INITIALIZING, PE.INITIALIZED): Move(P.RUNNING, ("start_next",)),
    (P.INITIALIZING, PE.SANDBOX_LOST): Move(P.SANDBOX, ("make_sandbox_again",)),
    (P.RUNNING, PE.SANDBOX_LOST): Move(P.SANDBOX, ("make_sandbox_again",)),
    (P.INITIALIZING, PE.ALL_FINISHED): Move(P.COMPLETED, ("post_status", "free")),
    (P.RUNNING, PE.ALL_FINISHED): Move(P.COMPLETED, ("post_status", "free")),
    (P.MOUNTING, PE.STOP): Move(P.TERMINATING, ("stop_containers",)),
    (P.SANDBOX, PE.STOP): Move(P.TERMINATING, ("stop_containers",)),
    (P.INITIALIZING, PE.STOP): Move(P.TERMINATING, ("stop_containers",)),
    (P.RUNNING, PE.STOP): Move(P.TERMINATING, ("stop_containers",)),
    (P.TERMINATING, PE.STOP): Move(P.TERMINATING, ("shorten_grace",)),
    (P.TERMINATING, PE.ALL_FINISHED): Move(P.COMPLETED, ("post_status", "free", "remove_from_api")),
    (P.NEW, PE.STOP): Move(P.COMPLETED, ("remove_from_api",)),
    (P.REJECTED, PE.STOP): Move(P.COMPLETED, ("remove_from_api",)),
    (P.COMPLETED, PE.STOP): Move(P.COMPLETED, ("remove_from_api",)),
    (P.COMPLETED, PE.REMOVED): Move(P.GONE, ("forget",)),
    (P.REJECTED, PE.REMOVED): Move(P.GONE, ("forget",)),
    (P.NEW, PE.REMOVED): Move(P.GONE, ("forget",)),
}

CONTAINER_TABLE: dict[tuple[ContainerState, ContainerEvent], Move] = {
    (C.WAITING, CE.START): Move(C.PULLING, ("pull",)),
    (C.PULLING, CE.PULLED): Move(C.CREATING, ("create",)),
    (C.PULLING, CE.PULL_FAILED): Move(C.PULL_BACKOFF, ("post_now", "pull_later", "let_next_start")),
    (C.PULL_BACKOFF, CE.BACKOFF_OVER): Move(C.PULLING, ("pull",)),
    (C.CREATING, CE.CONFIG_FAILED): Move(C.CONFIG_ERROR, ("post_now", "create_later", "let_next_start")),
    (C.CONFIG_ERROR, CE.BACKOFF_OVER): Move(C.PULLING, ("pull",)),
    (C.CREATING, CE.START_HOOK): Move(C.POST_START, ("run_post_start",)),
    (C.CREATING, CE.EXIT): Move(C.EXITED, ("post_soon", "decide")),
    (C.CREATING, CE.STARTED): Move(C.RUNNING, ("post_soon", "start_probes", "let_next_start")),
    (C.POST_START, CE.HOOK_DONE): Move(C.RUNNING, ("post_soon", "start_probes", "let_next_start")),
    (C.RUNNING, CE.STOP): Move(C.STOPPING, ("signal", "arm_grace")),
    (C.RUNNING, CE.STOP_HOOK): Move(C.PRE_STOP, ("arm_grace", "run_pre_stop")),
    (C.POST_START, CE.STOP): Move(C.STOPPING, ("signal", "arm_grace")),
    (C.POST_START, CE.STOP_HOOK): Move(C.PRE_STOP, ("arm_grace", "run_pre_stop")),
    (C.PRE_STOP, CE.HOOK_DONE): Move(C.STOPPING, ("signal",)),
    (C.POST_START, CE.EXIT): Move(C.EXITED, ("stop_probes", "post_soon", "decide")),
    (C.RUNNING, CE.EXIT): Move(C.EXITED, ("stop_probes", "post_soon", "decide")),
    (C.PRE_STOP, CE.EXIT): Move(C.EXITED, ("stop_probes", "post_soon", "decide")),
    (C.STOPPING, CE.EXIT): Move(C.EXITED, ("stop_probes", "post_soon", "decide")),
    (C.EXITED, CE.RESTART): Move(C.PULLING, ("pull",)),
    (C.EXITED, CE.RESTART_LATER): Move(C.BACKOFF, ("tell_backoff", "restart_later", "let_next_start")),
    (C.BACKOFF, CE.BACKOFF_OVER): Move(C.PULLING, ("post_crash_loop", "pull")),
    (C.EXITED, CE.FINISH): Move(C.FINISHED, ("tell_pod", "let_next_start")),
    (C.WAITING, CE.STOP): Move(C.FINISHED, ("tell_pod",)),
    (C.PULLING, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
    (C.PULL_BACKOFF, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
    (C.CREATING, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
    (C.CONFIG_ERROR, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
    (C.EXITED, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
    (C.BACKOFF, CE.STOP): Move(C.FINISHED, ("drop_timer", "tell_pod")),
}
