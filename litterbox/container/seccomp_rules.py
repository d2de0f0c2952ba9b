"""What a box's system calls are refused beside those that the host's profile for containers refuses. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Rule = dict[str, Any]

_ENOSYS, _EPERM, _EINVAL, _EPROTONOSUPPORT, _EAFNOSUPPORT = 38, 1, 22, 93, 97  # as Linux numbers them
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_FAMILIES = (_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)
_NETLINK_AUDIT = 9
_NETLINK = (0, 4, 15, 16)  # route, sock_diag (ss), kobject_uevent (libudev), generic
_NETLINK_NESTED = (*_NETLINK, 12)  # netfilter, for the firewalls of containers in the box
_CLONE_NEWUSER = 0x10000000

# The kernel keeps keys by uid: the box's user would have those of the user outside. ENOSYS is what a kernel without
# keys answers, so that what would like to use them (pam_keyinit, Kerberos, crun) goes on without.
_KEYS = ("add_key", "keyctl", "request_key")
# A ring opens sockets of any family behind the filter's back.
_RINGS = ("io_uring_enter", "io_uring_register", "io_uring_setup")
# So does the one call for all that old 32-bit programs know. Its error may not be a profile's default one: crun leaves
# such a rule out, and then libseccomp allows this call wherever the box may open a socket of some family.
_SOCKETCALL_ERROR = _EAFNOSUPPORT
# Of CAP_SYS_ADMIN, which a container in the box has in its own namespaces, where the kernel checks for it.
_IN_NAMESPACES = ("setdomainname", "sethostname", "setns")


def derive(profile: Mapping[str, Any], *, nested: bool) -> dict[str, Any]:
    """The box's profile: the host's, with rules of ours for what a box must not do.

    A rule without a condition would win over ours, so the names of ours are first taken out of all others. Conditions
    compare 64 bits of an argument of which the kernel may look at 32; so each is "equal" where something is allowed,
    and all other values are refused.
    """
    # First: without this rule, libseccomp takes those of socket for rules of socketcall that contradict each other.
    ours = [_refuse(_SOCKETCALL_ERROR, "socketcall")]
    ours += [*_socket_rules(_NETLINK_NESTED if nested else _NETLINK), _refuse(_ENOSYS, *_KEYS, *_RINGS)]
    ours += [_allow(*_IN_NAMESPACES)] if nested else _user_namespace_rules()
    taken = {name for rule in ours for name in rule["names"]}
    theirs = ({**rule, "names": [name for name in names(rule) if name not in taken]} for rule in profile["syscalls"])
    return {**profile, "syscalls": [*(rule for rule in theirs if rule["names"]), *ours]}


def _socket_rules(netlink: Iterable[int]) -> Iterator[Rule]:
    for family in _FAMILIES:
        if family != _AF_NETLINK:
            yield _allow("socket", arguments=[_equal(0, family)])
    yield from (_refuse(_EAFNOSUPPORT, "socket", arguments=[other]) for other in _all_but(0, _FAMILIES))
    is_netlink = _equal(0, _AF_NETLINK)
    for protocol in netlink:
        yield _allow("socket", arguments=[is_netlink, _equal(2, protocol)])
    # What sudo takes for a kernel without auditing.
    yield _refuse(_EINVAL, "socket", arguments=[is_netlink, _equal(2, _NETLINK_AUDIT)])
    for other in _all_but(2, (*netlink, _NETLINK_AUDIT)):
        yield _refuse(_EPROTONOSUPPORT, "socket", arguments=[is_netlink, other])
    yield _allow("socketpair", arguments=[_equal(0, _AF_UNIX)])
    yield from (_refuse(_EAFNOSUPPORT, "socketpair", arguments=[other]) for other in _all_but(0, (_AF_UNIX,)))


def _user_namespace_rules() -> Iterator[Rule]:
    """No new user namespace, also in the moment before `namespaces` has written that there may be none.

    The flags of clone3 are in memory, where no filter looks: after ENOSYS, every libc uses clone.
    """
    yield _refuse(_ENOSYS, "clone3")
    on_s390 = {"arches": ["s390", "s390x"]}
    for call, index, when in (
        ("unshare", 0, {}),
        ("clone", 0, {"excludes": on_s390}),
        ("clone", 1, {"includes": on_s390}),
    ):
        yield _allow(call, arguments=[_flag(index, is_set=False)]) | when
        yield _refuse(_EPERM, call, arguments=[_flag(index, is_set=True)]) | when


def _allow(*names: str, arguments: Iterable[Rule] = ()) -> Rule:
    return {"names": [*names], "action": "SCMP_ACT_ALLOW", "args": [*arguments]}


def _refuse(error: int, *names: str, arguments: Iterable[Rule] = ()) -> Rule:
    return {"names": [*names], "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": [*arguments]}


def _equal(index: int, value: int) -> Rule:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def _flag(index: int, *, is_set: bool) -> Rule:
    """Whether CLONE_NEWUSER is among the flags, whatever else is."""
    wanted = _CLONE_NEWUSER if is_set else 0
    return {"index": index, "value": _CLONE_NEWUSER, "valueTwo": wanted, "op": "SCMP_CMP_MASKED_EQ"}


def _all_but(index: int, values: Iterable[int]) -> Iterator[Rule]:
    """Conditions of which one holds for every number that is not among the values."""
    allowed = set(values)
    yield from (_equal(index, value) for value in range(max(allowed)) if value not in allowed)
    yield {"index": index, "value": max(allowed), "op": "SCMP_CMP_GT"}


def names(rule: Mapping[str, Any]) -> list[str]:
    """The system calls that a rule of a profile is about."""
    return rule.get("names") or [rule["name"]]  # the second in profiles of old
