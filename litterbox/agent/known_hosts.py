"""The names that this user's known_hosts files give to host keys (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

asyncssh finds the keys of a name; here it is the name of a key that is wanted, so the files are read by hand.
Permission to sign unasked hangs on the answer: whatever is in doubt has no name.
"""

import base64
import hashlib
import hmac
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from litterbox.agent import certificates
from litterbox.agent.patterns import MAX_NAME, is_pattern, matches

_MAX_SIZE: Final = 16 * 1024 * 1024  # bytes of a file; a line takes about a hundred
_HASHED: Final = "|1|"

_logger = logging.getLogger(__name__)


@attrs.frozen
class _Entry:
    """One line: the hosts it is about (one hash, or patterns), and whether its key is an authority's."""

    hosts: tuple[str, ...]
    authority: bool

    @property
    def literal(self) -> tuple[str, ...]:
        """The names that stand there in full, less those that the line itself takes out again."""
        if self.hosts[0].startswith("|"):
            return ()
        negated = [host[1:] for host in self.hosts if host.startswith("!")]
        return tuple(host for host in self.hosts if not is_pattern(host) and not matches(host, negated))

    def covers(self, name: str) -> bool:
        first = self.hosts[0]
        return _hash_fits(first, name) if first.startswith("|") else matches(name, self.hosts)


@attrs.frozen
class _Content:
    """What all files say: entries by public blob, the revoked blobs; `whole` tells that nothing was left unread."""

    entries: dict[bytes, list[_Entry]] = attrs.field(factory=dict)
    revoked: frozenset[bytes] = frozenset()
    whole: bool = True


class KnownHosts:
    """What the files say now: they are looked at on every call, and read again when one changed."""

    def __init__(self, files: Sequence[str] | None = None) -> None:
        """`files` are paths; None means the user's two and the system's two that OpenSSH reads by default."""
        self._files = _default_files() if files is None else tuple(files)
        self._seen: object = None
        self._content = _Content()

    def names(self, host_key: bytes, candidates: Iterable[str] = ()) -> tuple[str, ...]:
        """The names of a host key or host certificate, in the files' order; () where it is revoked or unknown.

        First those that stand there in full, then those `candidates` that a hash or a wildcard fits.
        """
        found: dict[str, None] = {}
        for entry, names in self._about(host_key):
            found |= dict.fromkeys(names or entry.literal)
        wanted = [name for name in dict.fromkeys(candidates) if name not in found and not is_pattern(name)]
        for entry, names in self._about(host_key) if wanted else ():
            if not names:
                found |= dict.fromkeys(name for name in wanted if entry.covers(name))
        return tuple(found)

    def match(self, host_key: bytes, patterns: Sequence[str]) -> bool:
        """Say whether the files give the key a name that fits the pattern list.

        Against an entry without a name in full (a hash, a wildcard) only patterns that are names themselves are
        held: nothing says which of its hosts `*.example.org` would mean.
        """
        candidates = [pattern for pattern in patterns if not is_pattern(pattern)]
        names = self.names(host_key, candidates)
        return self._content.whole and any(matches(name, patterns) for name in names)

    def _about(self, host_key: bytes) -> Iterator[tuple[_Entry, tuple[str, ...]]]:
        """The entries that speak for a key; for a certificate, with the principals that each lets through."""
        content = self._read()
        if certificates.is_certificate(host_key):
            yield from _about_certificate(content, host_key)
        elif host_key not in content.revoked:
            for entry in content.entries.get(host_key, ()):
                if not entry.authority:
                    yield entry, ()

    def _read(self) -> _Content:
        stamps = tuple(map(_stamp, self._files))
        if stamps != self._seen:
            self._content = _parse(self._files)
            self._seen = stamps  # taken before reading: a change in between is seen by the next call
        return self._content


def _about_certificate(content: _Content, blob: bytes) -> Iterator[tuple[_Entry, tuple[str, ...]]]:
    """Cheap until the certificate names an authority of these files: then its signature, by that key, is verified."""
    try:
        certificate = certificates.read(blob)
        entries = [entry for entry in content.entries.get(certificate.authority, ()) if entry.authority]
        if not entries or not certificates.is_good_for_a_host(certificate):
            return
        certificates.verify(certificate)
    except certificates.BadCertificate:
        return
    if content.revoked.intersection((blob, certificate.plain_key, certificate.authority)):
        return
    for entry in entries:
        names = tuple(
            name
            for name in certificate.principals
            if len(name) <= MAX_NAME and not is_pattern(name) and entry.covers(name)
        )
        if names:
            yield entry, names


def _parse(files: Iterable[str]) -> _Content:
    entries: dict[bytes, list[_Entry]] = {}
    revoked: set[bytes] = set()
    whole = True
    for path in files:
        try:
            _collect(_text(path), entries, revoked)
        except (OSError, UnicodeDecodeError) as error:
            _logger.warning("%s cannot be read, so no host has a name that a key could be limited to: %s", path, error)
            whole = False
    return _Content(entries, frozenset(revoked), whole)


def _collect(text: str, entries: dict[bytes, list[_Entry]], revoked: set[bytes]) -> None:
    for line in text.split("\n"):
        marker, hosts, key = split_line(line)
        if key is None:
            continue
        if marker == "@revoked":
            revoked.add(key)
        elif marker in ("", "@cert-authority"):
            entry = _Entry(tuple(hosts.split(",")), marker == "@cert-authority")
            entries.setdefault(key, []).append(entry)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_SIZE + 1)
    except FileNotFoundError:
        return ""
    if len(content) > _MAX_SIZE:
        raise OSError(f"it is larger than {_MAX_SIZE // 1024 // 1024} MiB")
    return content.decode()


def split_line(line: str) -> tuple[str, str, bytes | None]:
    """Marker, hosts and key of a line; no key where the line has none."""
    words = line.replace("\t", " ").strip("\r").split(" ")
    words = [word for word in words if word]
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return marker, "", None
    hosts, kind, encoded = words[:3]
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        return marker, hosts, None
    announced = len(kind).to_bytes(4, "big") + kind.encode()
    return marker, hosts, key if key.startswith(announced) else None


def _hash_fits(hashed: str, name: str) -> bool:
    if not hashed.startswith(_HASHED):
        return False
    salt, _, digest = hashed.removeprefix(_HASHED).partition("|")
    try:
        expected = base64.b64decode(digest, validate=True)
        made = hmac.digest(base64.b64decode(salt, validate=True), name.lower().encode(), hashlib.sha1)
    except ValueError:  # not base64, or a name that cannot be encoded
        return False
    return hmac.compare_digest(made, expected)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _default_files() -> tuple[str, ...]:
    own = os.path.join(os.path.expanduser("~"), ".ssh")
    return (
        os.path.join(own, "known_hosts"),
        os.path.join(own, "known_hosts2"),
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
    )
