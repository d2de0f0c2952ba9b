"""What a person is asked about a request, in words, and what an answer for the session covers."""

import hashlib

import attrs
import pytest
from asyncssh.packet import String, UInt32
from support.asked import fields_of
from support.certificates import certificate
from support.hostile import HOSTILE, check

from litterbox.agent.binding import Binding
from litterbox.agent.certificates import read
from litterbox.agent.constraints import Constraints, Destination, Hop
from litterbox.agent.identities import Identity
from litterbox.agent.private_keys import PrivateKey, fingerprint
from litterbox.agent.purpose import Contradiction, Login, Sshsig, Unrecognised
from litterbox.agent.questions import (
    Requester,
    about_adding,
    about_list,
    about_locking,
    about_removing,
    about_removing_all,
    about_signing,
    about_unlocking,
)
from litterbox.agent.requests import AddIdentity, SignRequest, parse
from litterbox.agent.words import HostNames, purpose_in_words
from litterbox.confirm.escaping import columns
from litterbox.confirm.question import MAX_LINES, text
from litterbox.confirm.said import logged

BLOB = String(b"ssh-ed25519") + String(b"k" * 32)
HOST_KEY = String(b"ssh-ed25519") + String(b"h" * 32)
HOP_KEY = String(b"ssh-ed25519") + String(b"j" * 32)
IDENTITY = Identity("github", BLOB, b"me@host")
LOGIN = Login(b"s" * 32, "git", "ssh-ed25519", None, hostbound=False)
NAMED = attrs.evolve(LOGIN, host_key=HOST_KEY, hostbound=True)
BOUND = attrs.evolve(NAMED, bound=True)
CERTIFICATE = read(certificate(BLOB))
COMMIT = Sshsig("git", "sha512")


def names(host_key: bytes) -> HostNames:
    known = {HOST_KEY: HostNames(("github.com", "140.82.121.3", "third")), HOP_KEY: HostNames((), ("dev",))}
    return known.get(host_key, HostNames())


ASKER = Requester("work", (), names)
FORWARDED = Requester("work", (Binding(HOP_KEY, b"1" * 32, forwarding=True),), names)


def about(purpose, *, data: bytes = b"data", flags: int = 0, identity: Identity = IDENTITY, asker: Requester = ASKER):
    return about_signing(asker, identity, SignRequest(BLOB, data, flags), purpose)


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (LOGIN, 'log in as "git" to a server that the request does not name'),
        (NAMED, 'log in to github.com or 140.82.121.3 as "git"'),
        (BOUND, 'log in to github.com or 140.82.121.3 as "git"'),
        (attrs.evolve(NAMED, host_key=HOP_KEY), 'log in as "git" to a server that only the box knows, as "dev"'),
        (attrs.evolve(NAMED, host_key=BLOB), f'log in as "git" to an unknown server ({fingerprint(BLOB)})'),
        (Contradiction(NAMED, "no"), 'log in to github.com or 140.82.121.3 as "git"'),
        (COMMIT, 'sign a git commit or tag (namespace "git")'),
        (Sshsig("file", "sha512"), 'sign a file (namespace "file")'),
        (Sshsig("deploy@example.org", "sha512"), 'make a signature in the namespace "deploy@example.org"'),
        (Unrecognised(), "sign data that is not an SSH login"),
    ],
)
def test_what_a_signature_is_for(purpose, words):
    assert logged(purpose_in_words(purpose, names)) == words


def test_a_signing_question_names_box_key_purpose_host_and_program():
    asker = attrs.evolve(ASKER, program="ssh git@github.com")
    assert text(about(BOUND, asker=asker)) == (
        'work: log in to github.com or 140.82.121.3 as "git"?\n\n'
        "Key: github (ssh-ed25519)\n"
        "The lasting answer covers: logins as this user to this server with\n"
        "    this key, by any program in the box\n\n"
        'Program: says it is "ssh git@github.com"\n\n'
        f"Key fingerprint: {IDENTITY.fingerprint}\n"
        f"Host fingerprint: {fingerprint(HOST_KEY)}"
    )


def test_a_forwarded_connection_is_warned_of_in_every_question():
    request = parse(17, String("ssh-ed25519") + String(b"k" * 32) + String(b"p" * 64) + String("me"))
    for question in (
        about(BOUND, asker=FORWARDED),
        about_list(FORWARDED, [IDENTITY]),
        about_adding(FORWARDED, IDENTITY, request),
        about_removing(FORWARDED, IDENTITY),
        about_removing_all(FORWARDED),
        about_locking(FORWARDED, b"p"),
        about_unlocking(FORWARDED, b"p"),
    ):
        assert logged(question.warning).startswith(
            'The request came through a server that only the box knows, as "dev". Whoever controls'
        )


def test_for_this_session_is_offered_for_lists_proven_destinations_and_namespaces_and_nothing_else():
    assert about_list(ASKER, [IDENTITY]).approval
    assert about(COMMIT).approval
    assert about(BOUND).approval
    for purpose in (LOGIN, NAMED, Unrecognised(), Sshsig("x" * 65, "sha512")):
        assert not about(purpose).approval
    assert not about_removing(ASKER, IDENTITY).approval
    assert not about_removing_all(ASKER).approval
    assert not about_locking(ASKER, b"").approval


def test_what_the_lasting_answer_covers_is_said_with_its_limits():
    def covered(question):
        return dict(question.fields)["The lasting answer covers"]

    assert covered(about(COMMIT)) == "signatures in this namespace with this key, by any program in the box"
    forwarded = "logins as this user to this server with this key through the same servers, by any program in the box"
    assert covered(about(BOUND, asker=FORWARDED)) == forwarded
    host = attrs.evolve(ASKER, box=None)
    assert covered(about(COMMIT, asker=host)).endswith("by any program that uses this agent")


def test_a_key_to_be_confirmed_each_time_is_never_approved_for_the_session():
    confirmed = attrs.evolve(IDENTITY, constraints=Constraints(confirm=True))
    assert not about(BOUND, identity=confirmed).approval
    assert about(BOUND, identity=attrs.evolve(IDENTITY, constraints=Constraints())).approval


def test_a_key_that_asks_once_has_one_approval_where_one_is_offered():
    once = attrs.evolve(IDENTITY, ask="once")
    assert about(BOUND, identity=once).once
    assert not about(LOGIN, identity=once).once
    assert not about(BOUND).once


def test_an_approval_is_for_one_key_one_destination_and_one_way_there():
    git = about(COMMIT).approval
    assert git == about(Sshsig("git", "sha256"), data=b"other").approval
    assert git != about(Sshsig("file", "sha512")).approval
    assert git != about(COMMIT, asker=FORWARDED).approval
    assert git != about(COMMIT, identity=Identity("github", HOST_KEY, b"")).approval
    login = about(BOUND).approval
    assert login == about(BOUND, data=b"another session").approval
    assert login != about(attrs.evolve(BOUND, user="root")).approval
    assert login != about(attrs.evolve(BOUND, host_key=HOP_KEY)).approval
    assert login != about(BOUND, asker=FORWARDED).approval
    assert about_list(ASKER, [IDENTITY]).approval != about_list(FORWARDED, [IDENTITY]).approval


def test_an_approval_does_not_hang_on_what_the_host_is_called_at_the_moment():
    renamed = attrs.evolve(ASKER, names=lambda _key: HostNames(("other",)))
    assert about(BOUND).approval == about(BOUND, asker=renamed).approval
    assert about(BOUND).approval.called == '"git" on github.com or 140.82.121.3'


def test_questions_are_equal_only_for_equal_requests():
    assert about(LOGIN) == about(LOGIN)
    assert about(LOGIN) == about(LOGIN, asker=attrs.evolve(ASKER, program="another"))
    assert about(LOGIN) != about(LOGIN, data=b"date")
    assert about(LOGIN) != about(LOGIN, flags=2)
    assert about(LOGIN) != about_list(ASKER, [IDENTITY])
    assert about_removing(ASKER, IDENTITY) != about_removing(ASKER, Identity("github", HOST_KEY, b"me@host"))
    assert about_locking(ASKER, b"a") != about_locking(ASKER, b"b")


def test_no_secret_is_in_a_question():
    secret = b"p" * 64
    request = parse(25, String("ssh-ed25519") + String(b"k" * 32) + String(secret) + String("me") + b"\1" + UInt32(60))
    shown = repr(about_adding(ASKER, IDENTITY, request)) + repr(request)
    assert "pppp" not in shown
    locking = about_locking(ASKER, b"hunter2")
    assert "hunter2" not in repr(locking)
    assert hashlib.sha256(b"hunter2").digest() in locking.request


def test_what_a_key_would_be_kept_for_is_told():
    destinations = (
        String("") + String("") + String(""),
        String("git") + String("github.com") + String("") + String(HOST_KEY) + b"\0",
    )
    step = String(destinations[0]) + String(destinations[1]) + String("")
    body = (
        b"\1" + UInt32(3600) + b"\2" + b"\xff" + String("restrict-destination-v00@openssh.com") + String(String(step))
    )
    request = parse(25, String("ssh-ed25519") + String(b"k" * 32) + String(b"p" * 64) + String("me") + body)
    told = fields_of(about_adding(ASKER, attrs.evolve(IDENTITY, constraints=request.constraints), request))
    assert told["It would be kept"] == "in memory only, for 3,600 seconds, and asked about each time"
    assert told["Only for"] == 'what it calls "git" on "github.com" from here'


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("proven", [True, False])
def test_a_window_has_room_for_every_text_at_once(value, proven):
    hops = tuple(Binding(HOP_KEY, b"%d" % number, forwarding=True) for number in range(16))
    asker = Requester("b" * 32, hops, lambda _key: HostNames((), (value,)), value)
    kind = "ecdsa-sha2-nistp521-cert-v01@openssh.com"
    identity = Identity(value, String(kind), b"", constraints=Constraints())
    said = attrs.evolve(CERTIFICATE, key_id=value, principals=(value,) * 256)
    login = Login(
        b"s" * 32, value, kind, HOST_KEY, hostbound=True, bound=proven, certificate=said, certificate_blob=b"blob"
    )
    steps = (Destination(Hop("", value, ()), Hop(value, value, ())),) * 1024
    limits = Constraints(lifetime=2**32 - 1, confirm=True, destinations=steps)
    key = PrivateKey(b"ssh-ed25519", BLOB, BLOB, b"")
    for question in (
        about_signing(asker, identity, SignRequest(BLOB, b"", 0), login),
        about_signing(asker, identity, SignRequest(BLOB, b"", 0), Sshsig(value, "sha512")),
        about_adding(asker, identity, AddIdentity(key, b"", limits, b"body")),
        about_removing(asker, identity),
    ):
        lines = text(question).replace("\N{LEFT-TO-RIGHT MARK}", "").split("\n")
        assert len(lines) <= MAX_LINES
        for line in "\n".join(lines).replace("\n    ", "").split("\n")[1:]:
            check(line)
        for row in (question.approval.called, question.approval.subject_called) if question.approval else ():
            check(row)
            assert columns(row) <= 224
