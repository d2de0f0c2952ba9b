"""Private keys as clients send them: every type, plain and certified, and what only looks like one."""

import subprocess

import asyncssh
import pytest
from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, String
from support.certificates import make_certificate

from litterbox.agent.private_keys import (
    BadKey,
    PrivateKey,
    check_sizes,
    fingerprint,
    is_on_security_key,
    load,
    parse_private_key,
)

KINDS = {
    "ssh-ed25519": {},
    "ssh-ed448": {},
    "ecdsa-sha2-nistp256": {},
    "ecdsa-sha2-nistp384": {},
    "ecdsa-sha2-nistp521": {},
    "ecdsa-sha2-1.3.132.0.10": {},
    "ssh-rsa": {"key_size": 2048},
    "ssh-dss": {},
}
KEYS = {kind: asyncssh.generate_private_key(kind, **options) for kind, options in KINDS.items()}
CA = asyncssh.generate_private_key("ssh-ed25519")


def sent(key: asyncssh.SSHKey) -> bytes:
    return String(key.algorithm) + key.encode_ssh_private()


def sent_with(certificate: asyncssh.SSHCertificate, key: asyncssh.SSHKey) -> bytes:
    return String(certificate.algorithm) + String(certificate.public_data) + key.encode_agent_cert_private()


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_key_of_each_type_can_sign(kind):
    key = KEYS[kind]
    body = SSHPacket(sent(key) + String("comment"))
    parsed = parse_private_key(body)
    assert body.get_string() == b"comment"
    assert parsed.public_blob == key.public_data
    loaded = load(parsed)
    algorithm = loaded.sig_algorithms[0]
    assert key.convert_to_public().verify(b"data", loaded.sign(b"data", algorithm))
    assert fingerprint(parsed.public_blob) == key.get_fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_a_certified_key_of_each_type_is_listed_as_its_certificate_and_signs_as_its_key(kind):
    key = KEYS[kind]
    certificate = CA.generate_user_certificate(key, "me", principals=["me"])
    body = SSHPacket(sent_with(certificate, key) + String("comment"))
    parsed = parse_private_key(body)
    assert body.get_string() == b"comment"
    assert parsed.public_blob == certificate.public_data
    assert parsed.algorithm == key.algorithm
    loaded = load(parsed)
    assert loaded.public_data == key.public_data
    assert fingerprint(parsed.public_blob) == key.get_fingerprint()


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"])
def test_a_key_on_a_security_key_is_known_by_its_type(kind):
    assert is_on_security_key(String(kind) + b"anything")
    assert not is_on_security_key(String("ssh-ed25519"))
    assert not is_on_security_key(b"sk-")


def test_a_certificate_with_options_that_are_not_known_can_sign():
    key = KEYS["ssh-ed25519"]
    blob = make_certificate(key, CA, critical=["verify-required"])
    body = String("ssh-ed25519-cert-v01@openssh.com") + String(blob) + key.encode_agent_cert_private()
    parsed = parse_private_key(SSHPacket(body))
    assert parsed.public_blob == blob
    assert load(parsed).public_data == key.public_data


def test_a_certificate_that_its_authority_did_not_sign_is_read_and_refused():
    key = KEYS["ssh-ed25519"]
    forged = make_certificate(key, CA)[:-1] + b"x"
    body = String("ssh-ed25519-cert-v01@openssh.com") + String(forged) + key.encode_agent_cert_private()
    parsed = parse_private_key(SSHPacket(body))
    with pytest.raises(BadKey, match="did not sign"):
        load(parsed)


def rsa(**changes: int) -> PrivateKey:
    """A good RSA key, but for the numbers that are given."""
    private = KEYS["ssh-rsa"].pyca_key.private_numbers()
    public = private.public_numbers
    numbers = {"n": public.n, "e": public.e, "d": private.d, "iqmp": private.iqmp, "p": private.p, "q": private.q}
    body = String("ssh-rsa") + b"".join(MPInt((numbers | changes)[name]) for name in numbers)
    return parse_private_key(SSHPacket(body))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": (1 << 1022) + 1}, "1024 to 16384 bits"),
        ({"n": (1 << 16384) + 1}, "1024 to 16384 bits"),
        ({"n": (1 << 1_000_000) + 1}, "1024 to 16384 bits"),
        ({"e": (1 << 64) + 1}, "at most 64 bits"),
        ({"d": (1 << 1_000_000) + 1}, "larger than its modulus"),
        ({"p": (1 << 3000) + 1}, "larger than its modulus"),
    ],
)
def test_sizes_of_rsa_that_openssh_would_not_use_are_refused_without_arithmetic(changes, reason):
    with pytest.raises(BadKey, match=reason):
        check_sizes(rsa(**changes))


@pytest.mark.parametrize("changes", [{"p": 7}, {"p": 0}, {"q": 1}, {"d": 12345}, {"e": 3}])
def test_numbers_that_do_not_fit_together_never_reach_openssl(changes, monkeypatch):
    """A signature with made-up numbers of 16,384 bits takes it 3 to 6 seconds."""

    def too_late(*_arguments, **_options):
        raise AssertionError("OpenSSL was given the key")

    monkeypatch.setattr(asyncssh, "import_private_key", too_late)
    check_sizes(rsa(**changes))
    with pytest.raises(BadKey, match="does not belong"):
        load(rsa(**changes))


def test_halves_of_different_keys_are_refused():
    one, other = KEYS["ssh-ed25519"], CA
    seed = other.encode_ssh_private()[4 + 32 + 4 :][:32]
    own = one.public_data[-32:]
    with pytest.raises(BadKey):
        load(parse_private_key(SSHPacket(String("ssh-ed25519") + String(own) + String(seed + own))))
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048).pyca_key.private_numbers()
    public = KEYS["ssh-rsa"].pyca_key.private_numbers().public_numbers
    numbers = (public.n, public.e, rsa.d, rsa.iqmp, rsa.p, rsa.q)
    with pytest.raises(BadKey):
        load(parse_private_key(SSHPacket(String("ssh-rsa") + b"".join(map(MPInt, numbers)))))


def test_halves_of_different_ecdsa_keys_are_refused():
    one = KEYS["ecdsa-sha2-nistp256"]
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").pyca_key.private_numbers().private_value
    point = one.public_data[-65:]
    with pytest.raises(BadKey):
        load(parse_private_key(SSHPacket(String(one.algorithm) + String("nistp256") + String(point) + MPInt(other))))


def test_an_rsa_key_that_openssh_would_refuse_is_refused():
    short = asyncssh.import_private_key(
        subprocess.run(["openssl", "genrsa", "-traditional", "768"], capture_output=True, check=True).stdout,
        unsafe_skip_rsa_key_validation=True,
    )
    with pytest.raises(BadKey, match="768"):
        check_sizes(parse_private_key(SSHPacket(sent(short))))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        String("ssh-ed25519"),
        String("teleport"),
        String("ssh-ed25519-cert-v01@openssh.com") + String(b"none") + String(b"") + String(b""),
        String("ssh-ed25519-cert-v01@openssh.com")
        + String(CA.generate_user_certificate(KEYS["ssh-rsa"], "me").public_data)
        + String(b"")
        + String(b""),
        String("x509v3-ssh-rsa-cert-v01@openssh.com") + String(b""),
    ],
)
def test_what_is_no_key_does_not_parse(body):
    with pytest.raises(PacketDecodeError):
        parse_private_key(SSHPacket(body))


def test_a_certificate_of_another_key_is_refused():
    certificate = CA.generate_user_certificate(KEYS["ssh-ed25519"], "me")
    parsed = parse_private_key(SSHPacket(sent_with(certificate, CA)))
    with pytest.raises(BadKey):
        load(parsed)
