"""Programs that run other programs, or code, which their arguments or their input name: shells, interpreters and such.

A list can never be complete. It is there to warn the user who allows one of them to a box.
"""

import os
import re
from typing import Final

_MAX_LINKS: Final = 40  # the kernel follows no more
_VERSION: Final = re.compile(r"[-.\d]*\Z")  # python3.11, gcc-12

_NAMES: Final = frozenset(
    """
    sh ash bash busybox csh dash elvish fish ksh mksh nu pwsh rbash tcsh toybox xonsh yash zsh
    awk gawk mawk nawk original-awk bc dc sed ed ex
    bun deno erl expect gdb ghci gjs groovy guile ipython irb java jshell julia kotlin lldb lua luajit node nodejs
    octave perl php pypy python R racket rscript Rscript ruby scala swipl tclsh wish
    emacs emacsclient code gvim joe mc mcedit micro nano nvim pico rvim vi view vim vimdiff
    info less man more most
    at batch chroot chrt crontab dbus-run-session doas entr env fd fdfind find flock ionice ltrace nice nohup nsenter
    parallel perf pkexec run-parts runuser screen script setarch setpriv setsid start-stop-daemon stdbuf strace su sudo
    systemctl systemd-run taskset time timeout tmux unshare valgrind watch xargs xterm xvfb-run
    mosh rsync scp sftp ssh sshpass wget
    bsdtar cpio tar zip
    ant apt apt-get bazel bundle cargo cc clang cmake composer conda dpkg g++ gcc gem gmake go gradle ld make meson mvn
    ninja npm npx pip pipx pnpm poetry pytest rake rpm rustc tox uv uvx yarn
    fossil gh git glab hg svn
    buildah bwrap crun ctr distrobox docker firejail flatpak flatpak-spawn kubectl litterbox lxc machinectl nerdctl nix
    podman runc snap toolbox virsh
    mysql psql sqlite sqlite3
    """.split()  # noqa: SIM905 - a column of 200 literals would hide what belongs together
)


def runs_what_it_is_told(program: str) -> bool:
    """Return whether the program, or one that its path links to, is known to run what others tell it to."""
    for _ in range(_MAX_LINKS):
        if _is_known(os.path.basename(program)):
            return True
        try:
            target = os.readlink(program)
        except OSError:  # not a link
            return False
        program = os.path.join(os.path.dirname(program), target)
    return False


def _is_known(name: str) -> bool:
    """Return whether it is one of them, in any version or variant: python3.11, vim.basic, ld-linux-x86-64.so.2."""
    variants = (name, name.partition(".")[0], name.partition("-")[0] if name.startswith("ld-") else name)
    return any(_VERSION.sub("", variant) in _NAMES or variant in _NAMES for variant in variants)
