"""The options of `podman create` that keep a box from what it has no need for.

Each was tried with what a box is for: `sudo apt install`, setcap, gcc, gdb, strace, node, cargo and a server on port 80
(tests/e2e/test_tools_in_box.py). What an option costs and what stays possible is in SECURITY.md.
"""

import os
import resource

from litterbox.container.mounts import user_runtime_in_box
from litterbox.settings.box_settings import Settings

# Without SETPCAP, which nothing of the above needs. NET_RAW is not needed by ping, see below; AUDIT_WRITE, MKNOD and
# SYS_PTRACE, which other defaults have, are not needed at all.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",  # packages with setgid programs
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",  # pacman's scripts, and sshd
)

# What tells of the host's hardware, its use or its keys, beside what Podman itself masks. A path that this kernel does
# not have is skipped. Programs live on /proc/cpuinfo, meminfo, stat, loadavg and /sys/devices/system: these stay.
_PROC = (
    "acpi asound bus cmdline config.gz diskstats dma driver fb interrupts iomem ioports irq kallsyms kcore key-users"
    " keys kpagecgroup kpagecount kpageflags latency_stats mdstat misc modules mtrr pagetypeinfo partitions sched_debug"
    " schedstat scsi slabinfo softirqs swaps timer_list timer_stats vmallocinfo zoneinfo"
)
_SYS = (
    "block bus class/block class/dmi class/drm class/hidraw class/hwmon class/input class/power_supply class/thermal"
    " dev devices/virtual/dmi devices/virtual/powercap devices/virtual/thermal firmware fs/selinux hypervisor power"
)
MASKED = (*(f"/proc/{name}" for name in _PROC.split()), *(f"/sys/{name}" for name in _SYS.split()))

MAX_PROCESSES = 4096  # processes and threads of each uid in the box
MAX_RUNTIME_FOLDER = "256m"  # of memory, in the tmpfs of XDG_RUNTIME_DIR: sockets and small files
MAX_LOG = "1mb"  # of what PID 1 says, which root of the box can write too

# In a user namespace, the kernel refuses a /proc of one's own while anything of the outer one is hidden.
_UNMASKED = "--security-opt=unmask=ALL"


def options(settings: Settings) -> list[str]:
    """The options, but those of seccomp and of the network.

    The number of processes is limited twice. `nproc` counts each uid of the box by itself (since Linux 5.14; before, a
    box's user together with the user outside), so root of the box can have more by having more uids. All together are
    limited by Podman's own default of 2,048, where systemd manages a cgroup with a pids controller for the user;
    asking for a number where there is none would be an error.
    """
    return [
        "--cap-drop=all",
        *(f"--cap-add={capability}" for capability in CAPABILITIES),
        "--ipc=private",  # "shareable", the default, lets other containers in
        f"--mount=type=tmpfs,dst={user_runtime_in_box()},tmpfs-mode=0700,tmpfs-size={MAX_RUNTIME_FOLDER},notmpcopyup",
        f"--ulimit=nproc={_max_processes()}",
        "--log-driver=k8s-file",  # the journal, Podman's other default, would not heed the size
        f"--log-opt=max-size={MAX_LOG}",
        _UNMASKED if settings.nested else f"--security-opt=mask={':'.join(MASKED)}",
        *_ping(settings),
    ]


def is_nested(made_with: list[str]) -> bool:
    """Whether the container of a `podman create` command line may make user namespaces."""
    return _UNMASKED in made_with


def _max_processes() -> str:
    """The limit, soft and hard: at most what the user has, since nobody here may raise that."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    limit = MAX_PROCESSES if hard == resource.RLIM_INFINITY else min(MAX_PROCESSES, hard)
    return f"{limit}:{limit}"


def _ping(settings: Settings) -> list[str]:
    """Let the box's user ping without CAP_NET_RAW, by an ICMP socket; on the host's network the host decides that.

    One group only: the kernel compares the host's numbers, among which root's of the box is not beside the user's.
    """
    if settings.network == "host":
        return []
    return [f"--sysctl=net.ipv4.ping_group_range={os.getgid()} {os.getgid()}"]
