"""Which runtimes boxes have mounted at this moment, as the kernel says it of each running box."""

import json

from litterbox.container import podman
from litterbox.errors import LitterboxError

_TARGET = "/litterbox-runtime"


def mounted() -> set[str] | None:
    """The names of the folders that running boxes have mounted as their runtime; None where that cannot be known.

    A folder has the name that it has now, also where it was renamed since.
    """
    try:
        rows = json.loads(podman.run("ps", "--filter", f"label={podman.LABEL}", "--format", "json"))
        names = [_runtime_of(int(row["Pid"])) for row in rows]
    except (LitterboxError, OSError, ValueError, KeyError, TypeError):
        return None
    return {name for name in names if name}


def _runtime_of(pid: int) -> str:
    """The runtime of the box whose first process that is; "" where the process is gone. Raises OSError."""
    try:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split(" ") for line in file]
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # 36 35 98:0 /root/of/mount /mount/point ...   (proc_pid_mountinfo(5))
    roots = [row[3] for row in rows if len(row) > 4 and row[4] == _TARGET]
    return roots[-1].removesuffix("//deleted").rpartition("/")[2] if roots else ""
