"""Every error that a user can meet, each with the sentence they read and, where there is one, the way out."""

# Exit statuses of `litterbox` that are not an error's own.
INTERRUPTED = 130
USAGE_FAILED = 2
ENTER_FAILED = 125  # Litterbox or Podman failed, not the command in the box (as podman-exec(1) has it); Podman says
# 255 where the box ended in the moment between our last look and its own, and where it cannot write our standard output


class LitterboxError(Exception):
    """Something the user must know about: `sentence` says what, `hint` says what to do next.

    `status` is the exit status of a command that ends with this error, unless the command documents another
    (`enter` answers 125 for every failure of Litterbox's own, as `podman exec` does).
    """

    status = 1

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class UsageError(LitterboxError):
    """The command line asks for something that cannot be: a bad name, an unknown template."""

    status = USAGE_FAILED


class BadBoxName(UsageError):
    """A box name that is not `[a-z0-9][a-z0-9_-]{0,31}`."""


class NoSuchBox(LitterboxError):
    """No box of that name is defined, or it has no container yet."""


class DockerfileError(LitterboxError):
    """A Dockerfile that cannot be built as it is: unreadable, or on an image whose own build steps nobody allowed."""


class SettingsError(LitterboxError):
    """A settings file holds an unknown key, a wrong type, or is not TOML."""


class HostError(LitterboxError):
    """The host lacks something Litterbox stands on: Podman, subordinate ids, a runtime folder, space on disk."""


class LockTimeout(HostError):
    """A lock was held by somebody else for longer than we wait; the sentence names the holder."""


class PodmanError(LitterboxError):
    """Podman ran and failed; the sentence names the command, the hint carries Podman's own message."""


class PodmanTimeout(PodmanError):
    """Podman did not end in time, and was killed."""


class DaemonError(LitterboxError):
    """The box's daemon could not be started, or did not answer as it should."""


class DaemonTimeout(DaemonError):
    """The daemon's socket takes connections, and no answer came in time: the daemon hangs, or is stopped."""


class DaemonGone(DaemonError):
    """The daemon ended while it was asked."""


class DaemonRunsAlready(DaemonError):
    """Another daemon of the same box holds the daemon lock."""


class RuntimeBundleError(LitterboxError):
    """The runtime that makes `/litterbox` run in any image could not be built from this interpreter."""


class KeyStoreError(LitterboxError):
    """The key store cannot be read or written: damaged, truncated, of an unknown version."""


class TamperedError(KeyStoreError):
    """A stored key does not match what was sealed with it; `sentence` names the key."""


class WrongPassword(KeyStoreError):
    """The password does not open the key store."""


class PasswordError(LitterboxError):
    """A password could not be had: no terminal and no command, a command that failed, two that differ."""


class BadKeyName(UsageError):
    """A key name that is not `[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}`."""


class IdentityError(LitterboxError):
    """A key's name is unknown or taken, or its file cannot be read."""


class PassphraseNeeded(IdentityError):
    """A private key's file is encrypted, and no passphrase was given."""


class WrongPassphrase(IdentityError):
    """The passphrase does not open a private key's file."""
