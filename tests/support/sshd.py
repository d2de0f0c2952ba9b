"""Real sshds on this machine, each a host with a name and a host key of its own; the user logs in as themselves."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
USER = getpass.getuser()
_LONG_ENOUGH = 20.0  # seconds


@attrs.frozen
class Network:
    """Hosts that `ssh -F config NAME` reaches; `known_hosts` has their names, `authorized` lets keys in everywhere."""

    folder: Path
    ports: dict[str, int]

    @property
    def config(self) -> str:
        return str(self.folder / "config")

    @property
    def known_hosts(self) -> str:
        return str(self.folder / "known_hosts")

    def authorize(self, public_line: str) -> None:
        with open(self.folder / "authorized_keys", "a") as file:
            file.write(f"{public_line.strip()}\n")

    def ssh(self, *words: str) -> list[str]:
        """The command line `ssh WORDS` in this network."""
        return ["ssh", "-F", self.config, *words]


@contextmanager
def network(
    folder: Path, names: Sequence[str], *, certified: Sequence[str] = (), user: bytes = USER.encode()
) -> Iterator[Network]:
    """Run a host for each name; those `certified` show a certificate of known_hosts' authority for `*.ca`.

    The authority certifies users too. They know the user who runs this as `user`.
    """
    assert SSHD, "sshd is not installed"
    made = Network(folder, {})
    (folder / "authorized_keys").touch(mode=0o600)
    _keygen("-t", "ed25519", "-f", folder / "authority")
    known = [f"@cert-authority *.ca {_public(folder / 'authority')}"]
    config = [
        "Host *",
        " HostName 127.0.0.1",
        f" UserKnownHostsFile {folder}/known_hosts",
        " GlobalKnownHostsFile /dev/null",
        " StrictHostKeyChecking yes",
        " BatchMode yes",
        " PreferredAuthentications publickey",
        " LogLevel ERROR",
        " ControlMaster no",
    ]
    with ExitStack() as stack:
        for name in names:
            _keygen("-t", "ed25519", "-f", folder / f"host_{name}")
            if name in certified:
                _keygen(
                    "-s", folder / "authority", "-I", name, "-h", "-n", name, folder / f"host_{name}.pub", new=False
                )
            else:
                known.append(f"{name} {_public(folder / f'host_{name}')}")
            made.ports[name] = stack.enter_context(_sshd(folder, name, certified=name in certified, user=user))
            config += [f"Host {name}", f" Port {made.ports[name]}", f" HostKeyAlias {name}"]
        (folder / "known_hosts").write_text("\n".join(known) + "\n")
        (folder / "config").write_text("\n".join(config[9:] + config[:9]) + "\n")
        yield made


@contextmanager
def _sshd(folder: Path, name: str, *, certified: bool, user: bytes) -> Iterator[int]:
    port = _free_port()
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host_{name}",
        "PidFile none",
        f"AuthorizedKeysFile {folder}/authorized_keys",
        f"TrustedUserCAKeys {folder}/authority.pub",
        "StrictModes no",
        "UsePAM no",
        "AuthenticationMethods publickey",
        "AllowAgentForwarding yes",
        "MaxAuthTries 20",
        "Subsystem sftp internal-sftp",
        f"SetEnv HOST_NAME={name}",
    ]
    if certified:
        lines.append(f"HostCertificate {folder}/host_{name}-cert.pub")
    (folder / f"sshd_{name}").write_text("\n".join(lines) + "\n")
    with (
        open(folder / f"sshd_{name}.log", "w") as log,
        subprocess.Popen(
            [*_knowing(user, folder), SSHD, "-D", "-e", "-f", folder / f"sshd_{name}"], stderr=log
        ) as server,
    ):
        try:
            _wait_until_reachable(port)
            yield port
        finally:
            server.terminate()


def _knowing(user: bytes, folder: Path) -> list[str]:
    """What starts a program for which the one who runs this is called `user`: with a passwd(5) of its own."""
    if user == USER.encode():
        return []
    passwd = folder / "passwd"
    own = b":".join([user, b"x", b"%d" % os.getuid(), b"%d" % os.getgid(), b"", os.fsencode(Path.home()), b"/bin/sh"])
    passwd.write_bytes(own + b"\n" + Path("/etc/passwd").read_bytes())
    outer = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c"]
    script = f'mount --bind {passwd} /etc/passwd && exec "$@"'
    inner = ["unshare", "--user", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}", "--"]
    return [*outer, script, "sh", *inner]


def _keygen(*words: str | os.PathLike[str], new: bool = True) -> None:
    subprocess.run(["ssh-keygen", "-q", *(("-N", "") if new else ()), *words], check=True, capture_output=True)


def _public(path: Path) -> str:
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_reachable(port: int) -> None:
    end = time.monotonic() + _LONG_ENOUGH
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")
