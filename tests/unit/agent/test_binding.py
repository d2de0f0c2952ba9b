"""Binding a connection to SSH sessions, as OpenSSH's agent does it."""

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import MPInt, String
from hypothesis import given

from litterbox.agent.binding import MAX_BINDINGS, Binding, BindingError, Bindings, SessionBind, verify

HOST = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
SESSION = b"s" * 32


def bind(session: bytes = SESSION, *, host: asyncssh.SSHKey = HOST, forwarding: bool = False, **changes) -> SessionBind:
    signature = host.sign(session, host.sig_algorithms[0])
    fields = {"host_key": host.public_data, "session_id": session, "signature": signature, "forwarding": forwarding}
    return SessionBind(**{**fields, **changes})


def add(bindings: Bindings, request: SessionBind) -> Binding:
    return bindings.add(verify(request))


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp384", "ssh-rsa"])
def test_a_session_that_the_host_key_signed_is_bound(kind):
    host = asyncssh.generate_private_key(kind)
    bindings = Bindings()
    bound = add(bindings, bind(host=host))
    assert bindings.hops == (bound,)
    assert (bound.host_key, bound.session_id, bound.forwarding) == (host.public_data, SESSION, False)
    assert not bindings.failed


def test_a_host_certificate_is_bound_with_the_key_that_it_certifies():
    authority = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(HOST, "a", principals=["a"])
    bound = add(Bindings(), bind(host_key=certificate.public_data))
    assert bound.host_key == HOST.public_data
    assert bound.shown_key == certificate.public_data


@pytest.mark.parametrize(
    "request_",
    [
        bind(signature=OTHER.sign(SESSION, b"ecdsa-sha2-nistp256")),
        bind(signature=HOST.sign(b"another session", b"ssh-ed25519")),
        bind(signature=b""),
        bind(host_key=OTHER.public_data),
        bind(host_key=b""),
        bind(host_key=String(b"ssh-ed25519-cert-v01@openssh.com") + b"none"),
        bind(b"s" * 129),
    ],
)
def test_what_is_not_proven_is_refused(request_):
    with pytest.raises(BindingError):
        verify(request_)


def test_a_host_key_that_would_take_long_to_verify_is_refused():
    numbers = asyncssh.generate_private_key("ssh-rsa", key_size=3072).pyca_key.private_numbers().public_numbers
    slow = String("ssh-rsa") + MPInt((1 << 3000) + 1) + MPInt(numbers.n)
    with pytest.raises(BindingError, match="exponent"):
        verify(bind(host_key=slow, signature=String("rsa-sha2-256") + String(bytes(384))))


def test_a_connection_that_is_bound_to_a_login_is_bound_to_nothing_else():
    bindings = Bindings()
    add(bindings, bind())
    for again in (bind(), bind(b"t" * 32), bind(b"t" * 32, forwarding=True)):
        with pytest.raises(BindingError, match="already"):
            add(bindings, again)
    assert len(bindings.hops) == 1
    assert bindings.failed


def test_hops_are_bound_in_order_and_the_login_comes_last():
    bindings = Bindings()
    add(bindings, bind(b"1" * 32, forwarding=True))
    add(bindings, bind(b"2" * 32, host=OTHER, forwarding=True))
    add(bindings, bind(b"3" * 32))
    assert [hop.session_id[:1] for hop in bindings.hops] == [b"1", b"2", b"3"]


def test_the_same_hop_again_changes_nothing():
    bindings = Bindings()
    first = add(bindings, bind(forwarding=True))
    assert add(bindings, bind(forwarding=True)) == first
    assert bindings.hops == (first,)


def test_a_session_cannot_have_two_host_keys():
    bindings = Bindings()
    add(bindings, bind(forwarding=True))
    with pytest.raises(BindingError, match="another host key"):
        add(bindings, bind(host=OTHER, forwarding=True))


def test_there_are_sixteen_bindings_at_most():
    bindings = Bindings()
    for number in range(MAX_BINDINGS):
        add(bindings, bind(bytes([number]) * 32, forwarding=True))
    with pytest.raises(BindingError, match="More than 16"):
        add(bindings, bind(b"more" * 8, forwarding=True))
    assert len(bindings.hops) == 16


kinds = st.sampled_from(
    [
        b"ssh-ed25519",
        b"ssh-rsa",
        b"ssh-dss",
        b"ecdsa-sha2-nistp256",
        b"ssh-ed25519-cert-v01@openssh.com",
        b"sk-ssh-ed25519@openssh.com",
    ]
)


@given(
    st.builds(lambda kind, rest: String(kind) + b"".join(map(String, rest)), kinds, st.lists(st.binary(max_size=40)))
    | st.binary(),
    st.binary(max_size=100),
    st.binary(max_size=100),
)
def test_any_bytes_are_refused_in_the_one_documented_way(host_key, session, signature):
    with pytest.raises(BindingError):
        verify(SessionBind(host_key, session, signature, forwarding=False))
