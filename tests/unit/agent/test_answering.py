"""What the agent answers, request by request: who is asked, what is written down, what becomes of it."""

import asyncssh
import attrs
import pytest
import trio
from asyncssh.packet import Byte, MPInt, String, UInt32
from support.certificates import make_certificate
from support.conversation import (
    EMPTY_LIST,
    EXTENSION_FAILURE,
    FAILURE,
    LIST,
    PEER,
    QUERY,
    REMOVE_ALL,
    SUCCESS,
    StoredKeys,
    Talk,
    add,
    bind,
    listed,
    lock,
    read_audit,
    remove,
    sign,
    unlock,
)
from support.workers import busy_workers

from litterbox import paths
from litterbox.agent.decisions import hosts_in
from litterbox.agent.identities import Identity
from litterbox.agent.known_hosts import KnownHosts
from litterbox.audit import AuditLog
from litterbox.confirm.question import Answer
from litterbox.confirm.said import logged

LAPTOP, MINE, HOST, DEV = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(4))
STORED = Identity("laptop", LAPTOP.public_data, b"me@host")
LIMITED = Identity("deploy", LAPTOP.public_data, b"", hosts=("github.com",), ask="never")
BOTH = [(LAPTOP.public_data, b"me@host"), (MINE.public_data, b"mine")]


@pytest.fixture
def talk():
    with AuditLog("work") as audit:
        yield Talk(audit, StoredKeys({STORED: LAPTOP}))


@pytest.fixture
def known_hosts(tmp_path):
    (tmp_path / "known_hosts").write_text(f"github.com {HOST.export_public_key().decode()}")
    return KnownHosts([str(tmp_path / "known_hosts")])


def audited():
    return read_audit(paths.audit_log("work"))


def login(session: bytes = b"s" * 32, *, key: asyncssh.SSHKey = LAPTOP) -> bytes:
    fields = [String(session), Byte(50), String("git"), String("ssh-connection"), String("publickey"), b"\1"]
    return b"".join([*fields, String(key.algorithm), String(key.public_data)])


async def test_a_key_is_added_listed_used_and_removed_and_each_step_is_asked_about(talk):
    ask = talk.connect()
    assert await ask(add(MINE)) == SUCCESS
    assert listed(await ask(LIST)) == BOTH
    signature = await ask(sign(MINE.public_data))
    assert MINE.convert_to_public().verify(b"data", signature[5:])
    assert await ask(remove(MINE.public_data)) == SUCCESS
    assert listed(await ask(LIST)) == BOTH[:1]
    assert [logged(question.action) for question in talk.asked] == [
        "add an SSH key to its agent",
        "see which SSH keys it has",
        "sign data that is not an SSH login",
        "remove an SSH key from its agent",
        "see which SSH keys it has",
    ]
    lines = [(line["what"], line["decision"], line["by"], line["detail"].get("key")) for line in audited()]
    assert lines == [
        ("add", "approved", "dialog", '"mine"'),
        ("list", "approved", "dialog", None),
        ("sign", "approved", "dialog", '"mine"'),
        ("remove", "approved", "dialog", '"mine"'),
        ("list", "approved", "dialog", None),
    ]


@pytest.mark.parametrize(
    "request_", [LIST, add(MINE), remove(LAPTOP.public_data), REMOVE_ALL, lock(b"secret"), sign(LAPTOP.public_data)]
)
async def test_what_is_declined_changes_nothing(talk, request_):
    talk.reply = Answer.DECLINED
    ask = talk.connect()
    assert await ask(request_) == FAILURE
    assert [line["decision"] for line in audited()] == ["declined"]
    talk.reply = Answer.APPROVED_ONCE
    assert listed(await ask(LIST)) == BOTH[:1]


async def test_removing_everything_hides_what_is_stored_and_forgets_what_was_added(talk):
    ask = talk.connect()
    await ask(add(MINE))
    assert await ask(REMOVE_ALL) == SUCCESS
    assert await ask(LIST) == EMPTY_LIST
    assert await ask(sign(LAPTOP.public_data)) == FAILURE


async def test_a_stored_key_can_be_removed_and_one_that_is_not_there_cannot(talk):
    ask = talk.connect()
    assert await ask(remove(LAPTOP.public_data)) == SUCCESS
    assert await ask(remove(LAPTOP.public_data)) == FAILURE
    assert len(talk.asked) == 1


async def test_a_key_of_the_store_that_is_added_too_is_listed_once_as_added(talk):
    ask = talk.connect()
    await ask(add(LAPTOP, "again"))
    assert listed(await ask(LIST)) == [(LAPTOP.public_data, b"again")]
    await ask(remove(LAPTOP.public_data))
    assert listed(await ask(LIST)) == BOTH[:1]


async def test_a_bad_key_is_refused_after_somebody_agreed_to_it(talk):
    broken = add(MINE).replace(MINE.public_data[-32:], b"x" * 32)
    assert await talk.connect()(broken) == FAILURE
    assert len(talk.asked) == 1
    assert [line["decision"] for line in audited()] == ["refused"]


def costly() -> bytes:
    """A request to add an RSA key of 16,384 bits: it took seconds to find out that its numbers are made up."""
    half = (3 << 8190) + 1
    return Byte(17) + String("ssh-rsa") + b"".join(map(MPInt, (half**2, 65537, half, half, half, half))) + String("c")


async def test_nothing_is_computed_with_a_key_before_somebody_agreed_to_it(talk):
    talk.reply = Answer.DECLINED
    async with busy_workers():
        assert await talk.connect()(costly()) == FAILURE
    assert [line["decision"] for line in audited()] == ["declined"]


async def test_a_key_of_a_size_that_openssh_would_not_use_is_refused_and_nobody_is_asked(talk):
    large = Byte(17) + String("ssh-rsa") + b"".join(map(MPInt, (1 << 16384, 65537, 3, 3, 3, 3))) + String("c")
    assert await talk.connect()(large) == FAILURE
    assert talk.asked == []
    assert "16384 bits" in audited()[0]["detail"]["reason"]


async def test_a_key_is_not_added_to_an_agent_that_was_locked_while_it_was_loaded(talk):
    first, second = talk.connect(), talk.connect()
    answers = []

    async def add_one() -> None:
        answers.append(await first(add(MINE)))

    async with trio.open_nursery() as nursery, busy_workers():
        nursery.start_soon(add_one)
        await trio.testing.wait_all_tasks_blocked()
        assert len(talk.asked) == 1
        assert await second(lock(b"secret")) == SUCCESS
    assert answers == [FAILURE]
    assert talk.added.listed() == []


async def test_a_session_is_verified_by_a_worker_whom_nobody_else_waits_for(talk):
    first, second = talk.connect(), talk.connect()
    async with busy_workers():
        with trio.move_on_after(0.05) as waited:
            await first(bind(HOST))
        assert waited.cancelled_caught
        assert (await second(sign(LAPTOP.public_data)))[0] == 14
    assert await first(bind(HOST)) == SUCCESS


async def test_a_key_on_a_security_key_is_refused_with_a_sentence(talk):
    fields = String(b"A" * 32) + String("ssh:") + Byte(1) + String(b"handle") + String(b"")
    assert await talk.connect()(Byte(17) + String("sk-ssh-ed25519@openssh.com") + fields + String("token")) == FAILURE
    assert talk.asked == []
    assert "stays with the client" in audited()[0]["detail"]["reason"]


async def test_a_provider_of_security_keys_for_another_key_is_refused(talk):
    provider = b"\xff" + String("sk-provider@openssh.com") + String("/box/evil.so")
    assert await talk.connect()(add(MINE, constraints=provider)) == FAILURE
    assert talk.asked == []
    assert "provider of security keys" in audited()[0]["detail"]["reason"]


async def test_a_certificate_with_options_that_are_not_known_is_kept_listed_and_used(talk):
    blob = make_certificate(MINE, DEV, critical=["verify-required"])
    ask = talk.connect()
    body = String("ssh-ed25519-cert-v01@openssh.com") + String(blob) + MINE.encode_agent_cert_private()
    assert await ask(Byte(17) + body + String("mine")) == SUCCESS
    assert listed(await ask(LIST)) == [(LAPTOP.public_data, b"me@host"), (blob, b"mine")]
    assert MINE.convert_to_public().verify(b"data", (await ask(sign(blob)))[5:])


async def test_a_key_that_is_removed_while_the_person_is_asked_signs_nothing(talk):
    ask = talk.connect()
    await ask(add(MINE))

    async def forget(_question):
        talk.added.clear()
        return Answer.APPROVED_ONCE

    talk.reply = forget
    assert await ask(sign(MINE.public_data)) == FAILURE
    assert "gone" in audited()[-1]["detail"]["reason"]


async def test_a_locked_agent_shows_and_does_nothing_for_any_connection(talk):
    first, second = talk.connect(), talk.connect()
    assert await first(lock(b"secret")) == SUCCESS
    asked = len(talk.asked)
    assert await second(LIST) == EMPTY_LIST
    for request in (
        sign(LAPTOP.public_data),
        add(MINE),
        remove(LAPTOP.public_data),
        REMOVE_ALL,
        lock(b"x"),
        QUERY,
        bind(HOST),
    ):
        assert await second(request) == FAILURE
    assert len(talk.asked) == asked
    assert await second(unlock(b"wrong")) == FAILURE
    assert await second(unlock(b"secret")) == SUCCESS
    assert listed(await first(LIST)) == BOTH[:1]
    assert await first(unlock(b"secret")) == FAILURE
    assert "hunter2" not in str(audited())
    assert "secret" not in str(audited())


async def test_what_was_asked_before_another_client_locked_the_agent_is_refused(talk):
    first, second = talk.connect(), talk.connect()

    async def lock_meanwhile(_question):
        talk.reply = Answer.APPROVED_ONCE
        assert await second(lock(b"secret")) == SUCCESS
        return Answer.APPROVED_ONCE

    talk.reply = lock_meanwhile
    assert await first(sign(LAPTOP.public_data)) == FAILURE


async def test_query_names_the_extensions(talk):
    answer = await talk.connect()(QUERY)
    assert answer == Byte(29) + String("query") + String("query") + String("session-bind@openssh.com")
    assert talk.asked == []


async def test_a_binding_is_not_asked_about_and_a_failed_one_has_its_own_answer(talk):
    ask = talk.connect()
    good = bind(HOST)
    assert await ask(good.replace(b"s" * 32, b"t" * 32)) == EXTENSION_FAILURE
    assert await ask(Byte(27) + String("session-bind@openssh.com")) == EXTENSION_FAILURE
    assert await ask(good) == SUCCESS
    assert talk.asked == []
    assert [(line["what"], line["decision"]) for line in audited()] == [
        ("session-bind", "refused"),
        ("session-bind@openssh.com", "refused"),
        ("session-bind", "approved"),
    ]


async def test_a_binding_that_was_refused_is_remembered(talk, known_hosts):
    talk.known_hosts, talk.stored = known_hosts, StoredKeys({LIMITED: LAPTOP})
    ask = talk.connect()
    await ask(bind(HOST).replace(b"s" * 32, b"t" * 32))
    await ask(bind(HOST))
    assert await ask(LIST) == EMPTY_LIST


async def test_a_bound_login_is_shown_with_the_hosts_name_and_may_be_approved_for_the_session(talk, known_hosts):
    talk.known_hosts = known_hosts
    ask = talk.connect()
    await ask(bind(HOST))
    assert (await ask(sign(LAPTOP.public_data, login())))[0] == 14
    [question] = talk.asked
    assert logged(question.action) == 'log in to github.com as "git"'
    assert question.approval.called == '"git" on github.com'
    assert audited()[-1]["detail"]["purpose"] == 'log in to github.com as "git"'


async def test_a_name_that_only_the_box_knows_is_shown_as_such(talk):

    async def claims(host_keys):
        return {host_key: ("innocent.example.org",) for host_key in host_keys if host_key == HOST.public_data}

    talk.claims = claims
    ask = talk.connect()
    await ask(bind(HOST))
    await ask(sign(LAPTOP.public_data, login()))
    assert logged(talk.asked[0].action).endswith('to a server that only the box knows, as "innocent.example.org"')


async def test_a_login_that_contradicts_its_binding_is_refused_and_audited(talk):
    ask = talk.connect()
    await ask(bind(HOST))
    assert await ask(sign(LAPTOP.public_data, login(b"x" * 32))) == FAILURE
    assert talk.asked == []
    line = audited()[-1]
    assert (line["decision"], line["by"]) == ("refused", "policy")
    assert "contradicts" in line["detail"]["reason"]


async def test_a_forwarded_connection_is_warned_of(talk):
    ask = talk.connect()
    await ask(bind(DEV, b"f" * 32, forwarding=True))
    await ask(sign(LAPTOP.public_data, b"anything"))
    assert "Whoever controls that computer" in logged(talk.asked[0].warning)


async def test_a_key_that_never_asks_is_seen_and_signs_only_where_it_leads_to_its_host(talk, known_hosts):
    talk.known_hosts, talk.stored = (
        known_hosts,
        StoredKeys({LIMITED: LAPTOP, attrs.evolve(STORED, public_blob=b"x"): MINE}),
    )
    others = [(b"x", b"me@host")]
    unbound, bound, elsewhere = talk.connect(), talk.connect(), talk.connect()
    assert listed(await unbound(LIST)) == others
    assert await unbound(sign(LAPTOP.public_data, login())) == FAILURE
    assert "did not bind" in audited()[-1]["detail"]["reason"]
    asked = len(talk.asked)
    await bound(bind(HOST))
    assert listed(await bound(LIST)) == [(LAPTOP.public_data, b"")]
    assert len(talk.asked) == asked  # such a key is shown alone, and nobody is asked
    assert (await bound(sign(LAPTOP.public_data, login())))[0] == 14
    assert (audited()[-1]["decision"], audited()[-1]["by"]) == ("approved", "policy")
    assert await bound(sign(LAPTOP.public_data, b"hello")) == FAILURE
    await elsewhere(bind(DEV))
    assert listed(await elsewhere(LIST)) == others
    assert await elsewhere(sign(LAPTOP.public_data, login())) == FAILURE
    assert await elsewhere(remove(LAPTOP.public_data)) == FAILURE
    assert len(talk.asked) == asked + 1  # about the last list


async def test_with_approve_all_nobody_is_asked_but_for_keys_that_are_to_be_confirmed(talk):
    talk.approve = "all"
    ask = talk.connect()
    for request in (add(MINE, constraints=b"\2"), LIST, sign(LAPTOP.public_data), lock(b"x"), unlock(b"x")):
        assert await ask(request) != FAILURE
    assert talk.asked == []
    assert {line["by"] for line in audited()} == {"policy"}
    talk.reply = Answer.DECLINED
    assert await ask(sign(MINE.public_data)) == FAILURE
    assert len(talk.asked) == 1
    assert not talk.asked[0].approval


async def test_with_approve_none_all_that_would_be_asked_is_refused(talk):
    talk.approve = "none"
    ask = talk.connect()
    for request in (LIST, add(MINE), sign(LAPTOP.public_data), REMOVE_ALL, remove(LAPTOP.public_data), lock(b"x")):
        assert await ask(request) == FAILURE
    assert await ask(bind(HOST)) == SUCCESS
    assert talk.asked == []
    assert {(line["decision"], line["by"]) for line in audited()[:-1]} == {("declined", "policy")}


async def test_more_keys_than_fit_in_a_list_are_an_answer_and_no_fault(talk):
    talk.stored.keys = {Identity(f"k{n}", bytes([n]) * 60_000, b""): LAPTOP for n in range(5)}
    assert await talk.connect()(LIST) == FAILURE
    assert "more keys than fit" in audited()[-1]["detail"]["reason"]


async def test_nothing_is_added_removed_or_signed_without_its_line(talk):
    ask = talk.connect()
    await ask(add(MINE))
    talk.audit.close()
    for request in (add(DEV), remove(MINE.public_data), REMOVE_ALL, sign(MINE.public_data), LIST):
        assert await ask(request) == FAILURE
    assert [identity.public_blob for identity in talk.added.listed()] == [MINE.public_data]


async def test_the_line_names_the_process_that_asked(talk):
    await talk.connect()(LIST)
    assert audited()[0]["detail"]["peer"] == PEER


async def test_a_lifetime_counts_from_when_it_was_approved(talk):
    ask = talk.connect()
    assert await ask(add(MINE, constraints=b"\1" + UInt32(0))) == SUCCESS
    assert listed(await ask(LIST)) == BOTH[:1]
    assert await ask(add(MINE, constraints=b"\1" + UInt32(60))) == SUCCESS
    assert listed(await ask(LIST)) == BOTH


def test_the_hosts_that_a_command_line_speaks_of():
    found = hosts_in("ssh -p 2222 git@GitHub.com git-receive-pack 'me/repo.git'")
    assert "github.com" in found
    assert "[github.com]:2222" in found
    assert len(hosts_in("a " * 10_000)) <= 32
    assert hosts_in("") == ()


def test_a_word_that_is_no_name_of_a_host_is_not_shown_as_one_that_a_wildcard_knows():
    assert hosts_in('ssh x"(known)@y é.test \x1b[31m.test git@alpha.test') == ("ssh", "y", "alpha.test")


async def test_two_connections_are_answered_at_the_same_time(talk):
    opened = trio.Event()

    async def slowly(_question):
        talk.reply = Answer.APPROVED_ONCE
        await opened.wait()
        return Answer.APPROVED_ONCE

    talk.reply = slowly
    answers = []

    async def first() -> None:
        answers.append(await talk.connect()(LIST))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        await trio.testing.wait_all_tasks_blocked()
        assert listed(await talk.connect()(LIST)) == BOTH[:1]
        assert answers == []
        opened.set()
    assert listed(answers[0]) == BOTH[:1]
