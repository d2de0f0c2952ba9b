"""Which names a host key has in known_hosts files; in doubt, none."""

import base64
import os
import subprocess

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import String
from hypothesis import HealthCheck, given, settings
from support.certificates import HOST_CERTIFICATE, make_certificate

from litterbox.agent import certificates
from litterbox.agent.known_hosts import KnownHosts

KEY, OTHER, CA = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))


def public(key: asyncssh.SSHKey) -> str:
    return f"{key.get_algorithm()} {base64.b64encode(key.public_data).decode()}"


def certificate(*principals: str, ca: asyncssh.SSHKey = CA, **changes) -> bytes:
    return ca.generate_host_certificate(KEY, "h", principals=list(principals), **changes).public_data


def otherwise_signed(blob: bytes) -> bytes:
    """The certificate with a bit of its signature, its last field, turned."""
    return blob[:-1] + bytes([blob[-1] ^ 1])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "known_hosts"


@pytest.fixture
def known(file):
    def write(*lines: str) -> KnownHosts:
        file.write_text("\n".join(lines) + "\n")
        return KnownHosts([str(file)])

    return write


def test_names_come_in_the_files_order_once_each(known):
    hosts = known(
        f"github.com,140.82.121.3 {public(KEY)}", f"x {public(OTHER)}", f"[alt]:2222,github.com {public(KEY)}"
    )
    assert hosts.names(KEY.public_data) == ("github.com", "140.82.121.3", "[alt]:2222")
    assert hosts.names(CA.public_data) == ()


def test_several_files_are_one(known, tmp_path, file):
    known(f"a {public(KEY)}")
    (tmp_path / "second").write_text(f"b {public(KEY)} a comment\n")
    hosts = KnownHosts([str(file), str(tmp_path / "second"), str(tmp_path / "missing")])
    assert hosts.names(KEY.public_data) == ("a", "b")
    assert hosts.match(KEY.public_data, ["b"])


def test_a_change_is_seen_at_the_next_call(known, file):
    hosts = known(f"a {public(KEY)}")
    assert hosts.names(KEY.public_data) == ("a",)
    file.write_text(f"@revoked * {public(KEY)}\na {public(KEY)}\n")
    assert hosts.names(KEY.public_data) == ()
    os.unlink(file)
    assert hosts.names(KEY.public_data) == ()


def test_what_is_not_an_entry_says_nothing(known):
    hosts = known(
        "",
        "# a " + public(KEY),
        f"#a {public(KEY)}",
        f"a {KEY.get_algorithm()} not-base64",
        f"a ssh-rsa {public(KEY).split()[1]}",
        f"@unknown a {public(KEY)}",
        f"a {KEY.get_algorithm()}",
        "a",
    )
    assert hosts.names(KEY.public_data, ["a"]) == ()


def test_names_by_wildcards_and_hashes_need_a_candidate(known, file):
    known(f"*.example.org,!bad.example.org {public(KEY)}", f"secret.example.com {public(KEY)}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "secret" not in file.read_text()
    hosts = KnownHosts([str(file)])
    candidates = ["good.example.org", "bad.example.org", "secret.example.com", "x", "*.example.org"]
    assert hosts.names(KEY.public_data) == ()
    assert set(hosts.names(KEY.public_data, candidates)) == {"good.example.org", "secret.example.com"}
    assert hosts.names(OTHER.public_data, candidates) == ()


@pytest.mark.parametrize(
    ("line", "patterns", "fits"),
    [
        ("github.com", ["github.com"], True),
        ("GitHub.com", ["github.COM"], True),
        ("github.com", ["gitlab.com", "git*.com"], True),
        ("github.com", ["*", "!github.com"], False),
        ("github.com", ["!github.com"], False),
        ("github.com", ["hub.com"], False),
        ("github.com", [], False),
        ("[github.com]:2222", ["github.com"], False),
        ("[github.com]:2222", ["[github.com]:2222"], True),
        ("a,b", ["b"], True),
        ("*.example.org", ["git.example.org"], True),
        ("*.example.org", ["*.example.org"], False),
        ("*.example.org", ["*"], False),
        ("*.example.org,!git.example.org", ["git.example.org"], False),
        ("git.example.org,!git.example.org", ["git.example.org"], False),
        ("|1|bad", ["github.com"], False),
        ("|2|AAAA|AAAA", ["github.com"], False),
        ("|1|AAAA|AAAA", ["github.com"], False),
    ],
)
def test_patterns(known, line, patterns, fits):
    assert known(f"{line} {public(KEY)}").match(KEY.public_data, patterns) is fits


def test_a_hashed_name_fits_the_pattern_that_is_that_name(known, file):
    known(f"github.com {public(KEY)}", f"[git.example.org]:2222 {public(OTHER)}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    hosts = KnownHosts([str(file)])
    assert hosts.match(KEY.public_data, ["gitlab.com", "github.com"])
    assert hosts.match(OTHER.public_data, ["[git.example.org]:2222"])
    assert not hosts.match(KEY.public_data, ["*"])
    assert not hosts.match(KEY.public_data, ["github.com", "!github.*"])


def test_a_revoked_key_has_no_name_wherever_the_line_stands(known):
    hosts = known(f"github.com {public(KEY)}", f"@revoked elsewhere {public(KEY)}")
    assert hosts.names(KEY.public_data) == ()
    assert not hosts.match(KEY.public_data, ["github.com"])


def test_a_certificate_has_the_principals_that_its_authority_may_vouch_for(known):
    hosts = known(f"@cert-authority *.example.org {public(CA)}", f"plain {public(KEY)}")
    blob = certificate("a.example.org", "b.example.com", "*.example.org")
    assert hosts.names(blob) == ("a.example.org",)
    assert hosts.match(blob, ["*.example.org"])
    assert not hosts.match(blob, ["b.example.com"])
    assert hosts.names(KEY.public_data) == ("plain",)


@pytest.mark.parametrize(
    "blob",
    [
        certificate(),
        certificate("a.example.org", ca=OTHER),
        certificate("a.example.org", valid_before="20200101"),
        otherwise_signed(certificate("a.example.org")),
        CA.generate_user_certificate(KEY, "h", principals=["a.example.org"]).public_data,
        String("ssh-ed25519-cert-v01@openssh.com"),
    ],
)
def test_a_certificate_that_is_not_good_has_no_name(known, blob):
    hosts = known(f"@cert-authority * {public(CA)}", f"a.example.org {public(OTHER)}", f"a.example.org {public(KEY)}")
    assert hosts.names(blob, ["a.example.org"]) == ()
    assert not hosts.match(blob, ["a.example.org"])


@pytest.mark.parametrize("revoked", [CA, KEY])
def test_a_certificate_is_revoked_with_its_authority_or_its_key(known, revoked):
    hosts = known(f"@cert-authority * {public(CA)}", f"@revoked * {public(revoked)}")
    assert hosts.names(certificate("a")) == ()


def test_a_certificate_with_a_critical_option_is_good_for_no_host(known):
    hosts = known(f"@cert-authority * {public(CA)}")
    plain = make_certificate(KEY, CA, role=HOST_CERTIFICATE, principals=["a"])
    assert hosts.names(plain) == ("a",)
    assert hosts.names(make_certificate(KEY, CA, role=HOST_CERTIFICATE, principals=["a"], critical=["x"])) == ()


def test_a_certificate_of_an_authority_that_is_not_known_costs_no_arithmetic(known, monkeypatch):
    hosts = known(f"@cert-authority * {public(OTHER)}")

    def too_early(_certificate):
        raise AssertionError("its signature was verified")

    monkeypatch.setattr(certificates, "verify", too_early)
    assert hosts.names(certificate("a.example.org")) == ()


def test_a_line_of_many_names_is_read_in_linear_time(known):
    """Each name held against the whole line took two minutes."""
    names = [f"h{number}" for number in range(20_000)]
    assert known(f"{','.join(names)} {public(KEY)}").names(KEY.public_data) == tuple(names)


def test_an_authority_is_not_a_host(known):
    hosts = known(f"@cert-authority a {public(KEY)}")
    assert hosts.names(KEY.public_data, ["a"]) == ()


def test_a_file_that_cannot_be_read_whole_lets_nothing_match(known, tmp_path, file, caplog):
    known(f"github.com {public(KEY)}")
    (tmp_path / "second").write_bytes(b"\xff\xfe@revoked")
    hosts = KnownHosts([str(file), str(tmp_path / "second")])
    assert hosts.names(KEY.public_data) == ("github.com",)
    assert not hosts.match(KEY.public_data, ["github.com"])
    assert caplog.text.count("cannot be read") == 1


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"{text} {public(KEY)}".encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_read_without_a_fault(file, content):
    file.write_bytes(content)
    hosts = KnownHosts([str(file)])
    hosts.names(KEY.public_data, ["a", ""])
    hosts.match(KEY.public_data, ["a"])


@pytest.mark.parametrize("name", ["a", "b.example.org", "bad.example.org", "[a]:2222", "A", "c"])
def test_openssh_agrees(known, file, name):
    hosts = known(f"a,*.example.org,!bad.example.org {public(KEY)}", f"[a]:2222 {public(KEY)}")
    found = subprocess.run(["ssh-keygen", "-F", name, "-f", file], capture_output=True, check=False).returncode == 0
    assert hosts.match(KEY.public_data, [name]) is found
