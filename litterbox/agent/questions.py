"""What to ask about a request to the agent: a dialog's words, and what "for this session" covers. Pure."""

from asyncssh.packet import String, UInt32

from litterbox.agent.identities import Identity, fingerprint
from litterbox.agent.protocol import SignRequest
from litterbox.agent.purpose import Login, Purpose, Sshsig
from litterbox.confirm.question import Approval, Question

# What people sign with `ssh-keygen -Y sign` and git, in their own words; other namespaces are shown as they
# are.
_NAMESPACES = {"git": "a git commit or tag", "file": "a file"}


def about_list(box: str) -> Question:
    return Question(
        box=box,
        asks="which SSH keys it may use",
        fields=(("It would see", "the public keys attached to it, and their comments; this signs nothing"),),
        request=b"list",
        approval=Approval("list", "", ""),
    )


def about_signing(box: str, identity: Identity, request: SignRequest, purpose: Purpose) -> Question:
    """Ask about one signature; "for this session" is offered for SSHSIG only: no login proves its server yet."""
    approval = None
    if isinstance(purpose, Sshsig):
        approval = Approval("sign", identity.fingerprint, f"namespace {purpose.namespace}")
    return Question(
        box=box,
        asks="to sign with an SSH key of yours",
        fields=(
            ("Key", f"{identity.name} ({identity.algorithm})"),
            ("Fingerprint", identity.fingerprint),
            ("For", in_words(purpose)),
        ),
        request=b"sign" + String(request.key_blob) + String(request.data) + UInt32(request.flags),
        approval=approval,
    )


def in_words(purpose: Purpose) -> str:
    """What the signature is for, as a person says it."""
    match purpose:
        case Login(user=user, host_key=None):
            return f'logging in as "{user}", on a server that the request does not name'
        case Login(user=user, host_key=bytes(host_key)):
            return f'logging in as "{user}", on the server with the host key {fingerprint(host_key)}'
        case Sshsig(namespace=namespace):
            known = _NAMESPACES.get(namespace)
            return f'{known} (namespace "{namespace}")' if known else f'a signature in the namespace "{namespace}"'
    return "data that is not an SSH login"
