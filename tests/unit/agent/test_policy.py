"""Who may see and use a key: a test for each clause of what `--host` and `--ask never` promise."""

import asyncssh
import attrs
import pytest
from asyncssh.packet import Byte, MPInt, String
from support.certificates import certificate

from litterbox.agent.binding import Binding, Bindings
from litterbox.agent.constraints import Constraints, Destination, Hop, HopKey
from litterbox.agent.identities import Identity
from litterbox.agent.policy import Go, Refuse, on_signing, sees
from litterbox.agent.private_keys import algorithm_name
from litterbox.agent.purpose import purpose

KEY = String(b"ssh-ed25519") + String(b"k" * 32)
GITHUB, DEV, OTHER = (asyncssh.generate_private_key("ssh-ed25519").public_data for _ in range(3))
SESSION = b"s" * 32
NEVER = Identity("deploy", KEY, b"", hosts=("github.com",), ask="never")
SSHSIG = b"SSHSIG" + String("git") + String("") + String("sha512") + String(b"d" * 64)


def match(host_key, patterns):
    """known_hosts, in which DEV has no name that fits, and OTHER is revoked."""
    return host_key == GITHUB and patterns == ("github.com",)


def login(
    *,
    session: bytes = SESSION,
    key: bytes = KEY,
    host_key: bytes | None = GITHUB,
    rest: bytes = b"",
    user: bytes = b"git",
    signed: int = 1,
    service: bytes = b"ssh-connection",
) -> bytes:
    method = b"publickey" if host_key is None else b"publickey-hostbound-v00@openssh.com"
    fields = [String(session), Byte(50), String(user), String(service), String(method), Byte(signed)]
    fields += [String(algorithm_name(key)), String(key)] + ([] if host_key is None else [String(host_key)])
    return b"".join(fields) + rest


def connection(*hops: Binding, failed: bool = False) -> Bindings:
    bindings = Bindings()
    bindings.hops, bindings.failed = hops, failed
    return bindings


def server(host_key: bytes = GITHUB, session: bytes = SESSION) -> Binding:
    return Binding(host_key, session, forwarding=False)


def through(host_key: bytes, session: bytes = b"f" * 32) -> Binding:
    return Binding(host_key, session, forwarding=True)


def verdict(data: bytes, bindings: Bindings, identity: Identity = NEVER):
    return on_signing(identity, purpose(data, identity.public_blob, bindings.hops), bindings, match)


def refused(data: bytes, bindings: Bindings, identity: Identity = NEVER) -> bool:
    return isinstance(verdict(data, bindings, identity), Refuse)


@pytest.mark.parametrize("host_key", [None, GITHUB])
def test_a_bound_login_to_the_host_is_signed_unasked(host_key):
    assert verdict(login(host_key=host_key), connection(server())) is Go.UNASKED


@pytest.mark.parametrize("data", [login(rest=b"\0"), login()[:-1], b"\0\0\0\0hello"])
def test_what_is_not_wholly_a_login_is_refused(data):
    assert refused(data, connection(server()))


ODD = {
    "two": login(signed=2),
    "255": login(signed=255),
    "not UTF-8": login(user=b"andr\xe9"),
    "certificate": login(key=certificate(KEY)),
}


@pytest.mark.parametrize("odd", ODD)
def test_unasked_only_what_usual_clients_send_is_signed_and_no_certificate(odd):
    found = verdict(ODD[odd], connection(server()))
    assert isinstance(found, Refuse)
    assert found.reason.startswith("unasked, ")
    assert verdict(ODD[odd], connection(server()), attrs.evolve(NEVER, ask="always")) is Go.ASK


def test_unasked_an_rsa_key_signs_for_its_shortest_form_only():
    numbers = (65537, 2**2047 + 1)
    shortest = String("ssh-rsa") + b"".join(map(MPInt, numbers))
    padded = String("ssh-rsa") + b"".join(String(b"\0\0" + MPInt(number)[4:]) for number in numbers)
    never = attrs.evolve(NEVER, public_blob=shortest)
    assert verdict(login(key=shortest), connection(server()), never) is Go.UNASKED
    assert refused(login(key=padded), connection(server()), never)


@pytest.mark.parametrize("data", [login(signed=0), login(service=b"other"), login(rest=b"\0"), login(session=b"s")])
def test_a_login_that_cannot_be_understood_is_refused_whatever_the_key(data):
    for identity in (NEVER, Identity("laptop", KEY, b""), attrs.evolve(NEVER, ask="always"), RESTRICTED):
        for bindings in (connection(server()), connection()):
            assert refused(data, bindings, identity)
    found = verdict(data, connection(), Identity("laptop", KEY, b""))
    assert "cannot be understood" in found.reason


def test_a_login_that_names_another_key_is_refused():
    assert refused(login(key=OTHER), connection(server()))


def test_another_session_than_that_of_the_last_binding_is_refused():
    assert refused(login(session=b"x" * 32), connection(server()))
    assert refused(login(session=b"f" * 32), connection(through(GITHUB), server()))


def test_a_last_binding_that_forwards_is_refused():
    assert refused(login(), connection(through(GITHUB, SESSION)))
    assert refused(login(), connection(through(GITHUB)))


def test_a_hostbound_login_that_names_another_host_key_is_refused():
    assert refused(login(host_key=DEV), connection(server()))


def test_behind_a_hop_a_login_must_be_hostbound():
    assert refused(login(host_key=None), connection(through(GITHUB), server()))
    assert verdict(login(), connection(through(GITHUB), server())) is Go.UNASKED


def test_every_hop_must_match():
    assert refused(login(), connection(through(DEV), server()))
    assert refused(login(host_key=DEV), connection(through(GITHUB), server(DEV)))


def test_a_failed_binding_refuses_also_after_a_good_one():
    assert refused(login(), connection(failed=True))
    assert refused(login(), connection(server(), failed=True))


@pytest.mark.parametrize("data", [SSHSIG, b"hello"])
def test_what_is_not_a_login_is_refused(data):
    assert refused(data, connection(server()))


def test_a_revoked_host_key_never_matches():
    assert refused(login(host_key=OTHER), connection(server(OTHER)))


def test_a_client_that_does_not_bind_is_told_so():
    found = verdict(login(), connection())
    assert isinstance(found, Refuse)
    assert "did not bind" in found.reason


def test_never_without_hosts_is_refused():
    assert refused(login(), connection(server()), attrs.evolve(NEVER, hosts=()))


@pytest.mark.parametrize("ask", ["always", "once"])
def test_a_limited_key_that_asks_is_held_to_the_same_hosts_and_asked_about(ask):
    limited = attrs.evolve(NEVER, ask=ask)
    assert verdict(login(), connection(server()), limited) is Go.ASK
    for data, bindings in (
        (login(), connection()),
        (SSHSIG, connection(server())),
        (login(host_key=DEV), connection(server(DEV))),
    ):
        assert refused(data, bindings, limited)


def test_an_unlimited_key_is_asked_about_for_anything_but_a_contradiction():
    free = Identity("laptop", KEY, b"")
    for data in (login(), login(host_key=None), SSHSIG, b"hello"):
        assert verdict(data, connection(), free) is Go.ASK
    assert verdict(login(), connection(server(), failed=True), free) is Go.ASK
    found = verdict(login(session=b"x" * 32), connection(server()), free)
    assert isinstance(found, Refuse)
    assert "contradicts" in found.reason


def test_a_limited_key_is_seen_only_on_connections_that_lead_to_its_hosts():
    assert sees(NEVER, connection(server()), match)
    assert sees(NEVER, connection(through(GITHUB)), match)
    for bindings in (
        connection(),
        connection(server(DEV)),
        connection(through(DEV), server()),
        connection(server(), failed=True),
    ):
        assert not sees(NEVER, bindings, match)
    assert sees(Identity("laptop", KEY, b""), connection(), match)


RESTRICTED = Identity(
    "mine",
    KEY,
    b"",
    constraints=Constraints(destinations=(Destination(Hop("", "", ()), Hop("git", "g", (HopKey(GITHUB, False),))),)),
)


def test_a_key_added_for_a_destination_signs_logins_there_after_asking():
    assert verdict(login(), connection(server()), RESTRICTED) is Go.ASK
    for data, bindings in (
        (login(), connection()),
        (SSHSIG, connection(server())),
        (login(host_key=DEV), connection(server(DEV))),
        (login(session=b"x" * 32), connection(server())),
        (login(), connection(through(GITHUB), server())),
    ):
        assert refused(data, bindings, RESTRICTED)
    assert sees(RESTRICTED, connection(), match)
    assert not sees(RESTRICTED, connection(through(GITHUB)), match)
