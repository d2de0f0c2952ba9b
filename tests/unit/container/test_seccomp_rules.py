"""The profile of a box is tried as the kernel would: for every argument one answer, and the right one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.container import seccomp_rules

EPERM, EINVAL, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT = 1, 22, 38, 93, 97
NEWUSER, NEWNET, SIGCHLD = 0x10000000, 0x40000000, 17
UNIX, INET, INET6, NETLINK, PACKET, VSOCK, ALG = 1, 2, 10, 16, 17, 40, 38
ROUTE, AUDIT, NETFILTER = 0, 9, 12
HIGH = 1 << 32  # a bit that the kernel does not look at, where the argument is an int

HOST = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": ENOSYS,
    "syscalls": [
        {
            "names": [
                *("add_key", "clone", "clone3", "io_uring_setup", "keyctl", "read", "request_key", "socket"),
                *("socketcall", "socketpair", "unshare"),
            ],
            "action": "SCMP_ACT_ALLOW",
        },
        {"name": "write", "action": "SCMP_ACT_ALLOW", "args": []},
        {"names": ["setns", "sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM, "args": None},
    ],
}
BOX = seccomp_rules.derive(HOST, nested=False)
NESTED = seccomp_rules.derive(HOST, nested=True)

COMPARISONS = {
    "SCMP_CMP_EQ": lambda value, condition: value == condition["value"],
    "SCMP_CMP_GT": lambda value, condition: value > condition["value"],
    "SCMP_CMP_MASKED_EQ": lambda value, condition: value & condition["value"] == condition["valueTwo"],
}


def holds(rule, arguments, architecture):
    included = rule.get("includes", {}).get("arches", [architecture])
    if architecture not in included or architecture in rule.get("excludes", {}).get("arches", []):
        return False
    return all(
        COMPARISONS[condition["op"]](arguments[condition["index"]], condition) for condition in rule.get("args") or []
    )


def answer(profile, call, *arguments, architecture="amd64"):
    """0 where the call is let through, else its error; never two answers, which libseccomp would refuse to load."""
    given_arguments = [*arguments, *[0] * (6 - len(arguments))]
    answers = {
        0 if rule["action"] == "SCMP_ACT_ALLOW" else rule["errnoRet"]
        for rule in profile["syscalls"]
        if call in seccomp_rules.names(rule) and holds(rule, given_arguments, architecture)
    }
    assert len(answers) <= 1
    return answers.pop() if answers else profile["defaultErrnoRet"]


@pytest.mark.parametrize("profile", [BOX, NESTED])
@pytest.mark.parametrize("call", ["add_key", "keyctl", "request_key", "io_uring_setup"])
def test_keys_and_rings_are_as_if_the_kernel_had_none(profile, call):
    assert answer(HOST, call) == 0
    assert answer(profile, call) == ENOSYS


@pytest.mark.parametrize("profile", [BOX, NESTED])
def test_what_the_host_allows_otherwise_stays_allowed(profile):
    assert [answer(profile, call) for call in ("read", "write", "clone", "unshare")] == [0, 0, 0, 0]


@pytest.mark.parametrize("profile", [BOX, NESTED])
def test_the_call_for_all_sockets_of_32_bit_programs_is_refused_before_any_other_rule_of_sockets(profile):
    assert answer(HOST, "socketcall", 1) == 0
    assert answer(profile, "socketcall", 1) not in (0, profile["defaultErrnoRet"])
    about_sockets = [rule["names"][0] for rule in profile["syscalls"] if rule["names"][0].startswith("socket")]
    assert about_sockets[0] == "socketcall"


@pytest.mark.parametrize("profile", [BOX, NESTED])
def test_sockets_are_of_four_families(profile):
    for family in (UNIX, INET, INET6):
        assert answer(profile, "socket", family, 1, 0) == 0
    for family in (0, 3, PACKET, ALG, VSOCK, 99, UNIX + HIGH, PACKET + HIGH, (1 << 64) - 1):
        assert answer(profile, "socket", family, 1, 0) == EAFNOSUPPORT


@pytest.mark.parametrize("profile", [BOX, NESTED])
def test_netlink_is_for_routes_and_auditing_is_as_if_there_were_none(profile):
    assert answer(profile, "socket", NETLINK, 3, ROUTE) == 0
    assert answer(profile, "socket", NETLINK, 3, AUDIT) == EINVAL
    for protocol in (AUDIT + HIGH, ROUTE + HIGH, 21, (1 << 64) - 1):
        assert answer(profile, "socket", NETLINK, 3, protocol) == EPROTONOSUPPORT


def test_the_firewall_is_for_containers_in_the_box_only():
    assert answer(BOX, "socket", NETLINK, 3, NETFILTER) == EPROTONOSUPPORT
    assert answer(NESTED, "socket", NETLINK, 3, NETFILTER) == 0


@given(*[st.integers(min_value=0, max_value=(1 << 64) - 1) | st.integers(min_value=0, max_value=40)] * 3)
def test_every_socket_has_one_answer(family, kind, protocol):
    for profile in (BOX, NESTED):
        allowed = answer(profile, "socket", family, kind, protocol) == 0
        assert not allowed or family in (UNIX, INET, INET6, NETLINK)
        assert (answer(profile, "socketpair", family, kind, protocol) == 0) is (family == UNIX)


@given(st.integers(min_value=0, max_value=(1 << 64) - 1))
def test_no_flag_hides_a_new_user_namespace(flags):
    for call in ("clone", "unshare"):
        assert answer(BOX, call, flags) == (EPERM if flags & NEWUSER else 0)
        assert answer(NESTED, call, flags) == 0
    # There, the flags are the second argument of clone.
    assert answer(BOX, "clone", 0, flags, architecture="s390x") == (EPERM if flags & NEWUSER else 0)


def test_clone3_whose_flags_nobody_sees_is_there_where_they_do_not_matter():
    assert answer(BOX, "clone3") == ENOSYS
    assert answer(NESTED, "clone3") == 0


def test_what_a_container_in_the_box_does_in_its_own_namespaces_is_for_nested_boxes():
    for call in ("setns", "sethostname"):
        assert answer(BOX, call) == EPERM
        assert answer(NESTED, call) == 0


def test_the_rest_of_the_hosts_profile_is_kept():
    derived = seccomp_rules.derive({**HOST, "archMap": ["as it was"]}, nested=False)
    assert derived["archMap"] == ["as it was"]
    assert derived["defaultAction"] == "SCMP_ACT_ERRNO"
