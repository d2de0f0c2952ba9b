"""What a key was added with, and along which hops that lets it be used: the rules of OpenSSH's identity_permitted."""

import time

import asyncssh
import pytest
from asyncssh.packet import PacketDecodeError, SSHPacket, String, UInt32
from support.certificates import HOST_CERTIFICATE, make_certificate

from litterbox.agent.binding import Binding, Bindings
from litterbox.agent.certificates import MAX_WILDCARDS, decode
from litterbox.agent.constraints import (
    MAX_CERTIFIED_HOSTS,
    MAX_KEYS,
    Constraints,
    Destination,
    Hop,
    HopKey,
    parse_constraints,
    permits,
)

A, B, C = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
CA = asyncssh.generate_private_key("ssh-ed25519")
HERE = Hop("", "", ())


def host(name: str, key: asyncssh.SSHKey, *, user: str = "", is_ca: bool = False) -> Hop:
    return Hop(user, name, (HopKey(key.public_data, is_ca),))


TO_A = Destination(HERE, host("a", A))
A_TO_B = Destination(host("a", A), host("b", B))


def bound(*hops: tuple[asyncssh.SSHKey, bool], failed: bool = False) -> Bindings:
    """A connection bound to these hosts; True marks a hop that the agent is forwarded through."""
    bindings = Bindings()
    bindings.hops = tuple(
        Binding(key.public_data, bytes([at]) * 32, forwarding) for at, (key, forwarding) in enumerate(hops)
    )
    bindings.failed = failed
    return bindings


LIST, LOGIN = None, "root"


@pytest.mark.parametrize(
    ("destinations", "path", "user", "allowed"),
    [
        ((), bound(), LIST, True),
        ((), bound(), LOGIN, True),
        ((), bound((C, False)), LOGIN, True),
        ((TO_A,), bound(), LIST, True),
        ((TO_A,), bound(), LOGIN, False),
        ((TO_A,), bound(failed=True), LIST, False),
        ((TO_A,), bound((A, False)), LIST, True),
        ((TO_A,), bound((A, False)), LOGIN, True),
        ((TO_A,), bound((B, False)), LIST, False),
        ((TO_A,), bound((B, False)), LOGIN, False),
        ((TO_A,), bound((A, True)), LIST, False),
        ((TO_A,), bound((A, True)), LOGIN, False),
        ((TO_A,), bound((A, True), (B, False)), LOGIN, False),
        ((TO_A, A_TO_B), bound((A, True)), LIST, True),
        ((TO_A, A_TO_B), bound((A, True)), LOGIN, False),
        ((TO_A, A_TO_B), bound((A, True), (B, False)), LIST, True),
        ((TO_A, A_TO_B), bound((A, True), (B, False)), LOGIN, True),
        ((TO_A, A_TO_B), bound((A, True), (C, False)), LOGIN, False),
        ((TO_A, A_TO_B), bound((B, False)), LOGIN, False),
        ((TO_A, A_TO_B), bound((A, True), (B, True)), LIST, False),
        ((TO_A, A_TO_B), bound((A, False), (B, False)), LOGIN, False),
        ((A_TO_B,), bound((A, True), (B, False)), LOGIN, False),
    ],
)
def test_paths(destinations, path, user, allowed):
    assert permits(destinations, path, user) is allowed


@pytest.mark.parametrize(
    ("pattern", "user", "allowed"),
    [("git", "git", True), ("git", "root", False), ("g?t*", "git-7", True), ("*", "root", True), ("", "anybody", True)],
)
def test_users_are_matched_at_the_last_hop_of_a_login(pattern, user, allowed):
    only = (Destination(HERE, host("a", A, user=pattern)),)
    assert permits(only, bound((A, False)), user) is allowed
    assert permits(only, bound((A, False)), LIST)


def certified(*principals: str, ca: asyncssh.SSHKey = CA, user: bool = False, **dates) -> Bindings:
    make = ca.generate_user_certificate if user else ca.generate_host_certificate
    certificate = decode(make(A, "a", principals=list(principals), **dates).public_data)
    bindings = Bindings()
    bindings.hops = (Binding(A.public_data, b"s" * 32, False, certificate),)
    return bindings


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (certified("a.example.org"), True),
        (certified("x", "*.example.org"), True),
        (certified("b.example.org"), False),
        (certified(), False),
        (certified("a.example.org", ca=B), False),
        (certified("a.example.org", user=True), False),
        (certified("a.example.org", valid_before="20200101"), False),
        (certified("a.example.org", valid_after="20990101"), False),
    ],
)
def test_a_host_certificate_is_good_for_its_principals_by_the_authority_that_is_named(path, allowed):
    by_authority = (Destination(HERE, host("a.example.org", CA, is_ca=True)),)
    assert permits(by_authority, path, LOGIN) is allowed


def test_a_signature_of_the_authority_over_sha_1_does_not_count():
    ca = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    good = ca.generate_host_certificate(A, "a", principals=["a"], sig_alg="rsa-sha2-256")
    weak = ca.generate_host_certificate(A, "a", principals=["a"], sig_alg="ssh-rsa")
    by_authority = (Destination(HERE, host("a", ca, is_ca=True)),)
    for certificate, allowed in ((good, True), (weak, False)):
        bindings = Bindings()
        bindings.hops = (Binding(A.public_data, b"s" * 32, False, decode(certificate.public_data)),)
        assert permits(by_authority, bindings, LOGIN) is allowed


def test_an_authority_is_no_host_and_a_host_no_authority():
    assert not permits((Destination(HERE, host("a", A, is_ca=True)),), bound((A, False)), LOGIN)
    assert not permits((Destination(HERE, host("a", A)),), certified("a"), LOGIN)


def hop(user: str = "", name: str = "", *keys: bytes, reserved: str = "", is_ca: bool = False) -> bytes:
    shown = b"".join(String(key) + bytes([is_ca]) for key in keys)
    return String(String(user) + String(name) + String(reserved) + shown)


def restrict(*steps: bytes) -> bytes:
    return b"\xff" + String("restrict-destination-v00@openssh.com") + String(b"".join(map(String, steps)))


TO_HOST_A = hop() + hop("git", "a", A.public_data) + String("")


def parse(body: bytes) -> Constraints:
    return parse_constraints(SSHPacket(body))


def test_constraints_are_read():
    assert parse(b"") == Constraints()
    assert parse(b"\1" + UInt32(60) + b"\2") == Constraints(60, confirm=True)
    assert parse(restrict(TO_HOST_A)).destinations == (Destination(HERE, host("a", A, user="git")),)


@pytest.mark.parametrize(
    "body",
    [
        b"\1",
        b"\1" + UInt32(1) + b"\1" + UInt32(1),
        b"\2\2",
        b"\3" + UInt32(1),
        b"\7",
        b"\xff" + String("teleport@example.org"),
        b"\xff" + String("sk-provider@openssh.com") + String("internal"),
        b"\xff" + String("associated-certs-v00@openssh.com") + b"\1" + String(b""),
        restrict(TO_HOST_A) + restrict(TO_HOST_A),
        restrict(hop() + hop() + String("")),
        restrict(hop() + hop("", "a") + String("")),
        restrict(hop("git") + hop("", "a", A.public_data) + String("")),
        restrict(hop("", "a") + hop("", "a", A.public_data) + String("")),
        restrict(hop() + hop("", "a", A.public_data) + String("more")),
        restrict(hop() + hop("", "a", A.public_data, reserved="more") + String("")),
        restrict(hop() + hop("", "a", b"no key") + String("")),
        restrict(hop() + hop("", "a", A.public_data)),
        restrict(*[TO_HOST_A] * 1025),
        restrict(hop() + hop("", "a", *[A.public_data] * (MAX_KEYS + 1)) + String("")),
        restrict(*[hop() + hop("", "a", *[A.public_data] * 600) + String("")] * 2),
        restrict(*[hop() + hop("", "a" * 200, CA.public_data, is_ca=True) + String("")] * 21),
    ],
)
def test_a_constraint_that_is_not_understood_whole_is_refused(body):
    with pytest.raises(PacketDecodeError):
        parse(body)


def test_as_many_hosts_as_a_key_may_have_are_held_to_certificates_quickly():
    """A certificate of 256 names on each of 16 hops; it took minutes when each name was held to each key of a host."""
    by_authority = (HopKey(CA.public_data, is_ca=True),)
    end = Hop("", "ok", by_authority)
    hostile = Destination(Hop("", "b" * 127, by_authority), Hop("", "b" * 127, by_authority))
    steps = (*[hostile] * (MAX_CERTIFIED_HOSTS // 254), Destination(HERE, end), Destination(end, end))
    principals = [*["*b" * 60 + "x"] * (MAX_WILDCARDS - 1), "ok", *["d" * 200] * 252]
    shown = decode(make_certificate(A, CA, role=HOST_CERTIFICATE, principals=principals))
    bindings = Bindings()
    bindings.hops = tuple(Binding(A.public_data, bytes([hop]) * 32, True, shown) for hop in range(16))
    started = time.thread_time()
    assert permits(steps, bindings, None)
    assert time.thread_time() - started < 5  # seconds
