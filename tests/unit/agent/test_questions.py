"""What a person is asked about a request, in words."""

import pytest
from asyncssh.packet import String

from litterbox.agent.identities import Identity, fingerprint
from litterbox.agent.protocol import SignRequest
from litterbox.agent.purpose import Login, Sshsig, Unrecognised
from litterbox.agent.questions import about_list, about_signing, in_words
from litterbox.confirm.question import text

BLOB = String(b"ssh-ed25519") + String(b"k" * 32)
HOST_KEY = String(b"ssh-ed25519") + String(b"h" * 32)
IDENTITY = Identity("github", BLOB, "me@host")
LOGIN = Login(b"s" * 32, "git", "ssh-ed25519", None)


def about(purpose, *, data: bytes = b"data", flags: int = 0):
    return about_signing("work", IDENTITY, SignRequest(BLOB, data, flags), purpose)


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (LOGIN, 'logging in as "git", on a server that the request does not name'),
        (
            Login(b"s" * 32, "git", "ssh-ed25519", HOST_KEY),
            f'logging in as "git", on the server with the host key {fingerprint(HOST_KEY)}',
        ),
        (Sshsig("git", "sha512"), 'a git commit or tag (namespace "git")'),
        (Sshsig("file", "sha512"), 'a file (namespace "file")'),
        (Sshsig("deploy@example.org", "sha512"), 'a signature in the namespace "deploy@example.org"'),
        (Unrecognised(), "data that is not an SSH login"),
    ],
)
def test_what_a_signature_is_for(purpose, words):
    assert in_words(purpose) == words


def test_a_signing_question_names_box_key_fingerprint_and_purpose():
    assert text(about(LOGIN)) == (
        'The box "work" asks to sign with an SSH key of yours.\n\n'
        "Key: github (ssh-ed25519)\n"
        f"Fingerprint: {IDENTITY.fingerprint}\n"
        'For: logging in as "git", on a server that the request does not\n    name'
    )


def test_for_this_session_is_offered_for_lists_and_namespaces_and_nothing_else():
    assert about_list("work").offers_session
    assert about(Sshsig("git", "sha512")).offers_session
    assert not about(LOGIN).offers_session
    assert not about(Login(b"s" * 32, "git", "ssh-ed25519", HOST_KEY)).offers_session
    assert not about(Unrecognised()).offers_session


def test_an_approval_is_for_one_key_and_one_namespace():
    git = about(Sshsig("git", "sha512")).approval
    assert git == about(Sshsig("git", "sha256"), data=b"other").approval
    assert git != about(Sshsig("file", "sha512")).approval
    other = Identity("other", HOST_KEY, "")
    assert git != about_signing("work", other, SignRequest(HOST_KEY, b"", 0), Sshsig("git", "sha512")).approval


def test_questions_are_equal_only_for_equal_requests():
    assert about(LOGIN) == about(LOGIN)
    assert about(LOGIN) != about(LOGIN, data=b"date")
    assert about(LOGIN) != about(LOGIN, flags=2)
    assert about(LOGIN) != about_list("work")
