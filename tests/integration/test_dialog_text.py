"""What a dialog says: all that a person needs to decide, and nothing of a box's that acts, hides or overflows."""

import attrs
import pytest
from support.dialog import Dialog, answer, picture

from litterbox.confirm.question import Answer, Approval, Question
from litterbox.confirm.said import Said

FINGERPRINT = "SHA256:tHbaQpyH/YGLbINUVfLrZRf4FUy0MsPBheaJt98+ShQ"
LOGIN = Question(
    box="work",
    action=("log in to github.com as ", Said("git")),
    fields=(("Key", "laptop (ssh-ed25519)"),),
    details=(("Key fingerprint", FINGERPRINT),),
    claims=(("Program", 'says it is "ssh git@github.com"'),),
    request=b"sign",
    approval=Approval("sign", FINGERPRINT, "git on github.com"),
)
FORWARDED = attrs.evolve(
    LOGIN,
    warning="The request came through dev.example.org. Whoever controls that computer may be asking.",
    approval=None,
)
OF_THE_HOST = attrs.evolve(LOGIN, box=None, once=True)

MARKUP = "<b>bold</b> &amp; &#10; <a href='file:///'>_link</a> \\n\\u0041\\x41 %s"
HIDDEN = "a\n\r\tKey: b\x1b[31m\u202eRTL\u202c\u200b\u2028\u2066\u0301\u0302\u0303"
VALUES = {
    "markup": MARKUP * 200,
    "hidden": HIDDEN * 300,
    "wide": "W" * 10_000,
    "spaced": "W " * 5_000,
    "ideographs": "界" * 10_000,
    "emoji": "😀\N{ZERO WIDTH JOINER}🏽" * 3_000,
    "hebrew": "שלום " * 2_000,
    "option": "--help",
}


async def said(question: Question, display, name: str) -> str:
    """Show the question, leave its picture, decline it; return its text. It must be all on the screen."""
    texts = []

    async def look(dialog: Dialog) -> None:
        left, top, width, height = await display.place(dialog.window)
        assert left >= 0
        assert top >= 0
        assert left + width <= 1280
        assert top + height <= 800
        await picture(dialog, name)
        texts.append(dialog.text)
        await dialog.press("Return")

    assert await answer(question, display, look) is Answer.DECLINED
    return texts[0]


async def test_a_login_names_the_box_the_key_the_purpose_and_the_program(display):
    assert await said(LOGIN, display, "login") == "\n".join(
        [
            'work: log in to github.com as "git"?',
            "",
            "Key: laptop (ssh-ed25519)",
            "",
            'Program: says it is "ssh git@github.com"',
            "",
            f"Key fingerprint: {FINGERPRINT}",
        ]
    )


async def test_a_forwarded_login_warns(display):
    told = (await said(FORWARDED, display, "forwarded")).replace("\n    ", " ")
    assert "The request came through dev.example.org. Whoever controls that computer may be asking." in told


async def test_a_program_of_the_host_is_called_one(display):
    assert (await said(OF_THE_HOST, display, "host")).startswith("A program on this computer: log in to github.com")


async def test_markup_and_escapes_are_shown_as_they_are(display):
    question = attrs.evolve(LOGIN, fields=(("For", MARKUP),))
    flags = []

    async def look(dialog: Dialog) -> None:
        flags.extend(dialog.words)
        await picture(dialog, "markup")
        assert MARKUP in dialog.text.replace("\n    ", " ")
        await dialog.press("Return")

    assert await answer(question, display, look) is Answer.DECLINED
    assert "--no-markup" in flags


@pytest.mark.parametrize("kind", VALUES)
async def test_a_dialog_of_the_most_hostile_values_has_all_its_labels_and_fits_the_screen(display, kind):
    value = VALUES[kind]
    question = Question(
        box="b" * 32,
        action=("log in to a server that only the box knows, as ", Said(value), " as ", Said(value)),
        warning=("The request came through ", *[Said(value)] * 2, ". Whoever controls that computer may be asking."),
        fields=(("Key", f"{value[:64]} (ecdsa-sha2-nistp521-cert-v01@openssh.com)"),),
        details=(("Key fingerprint", FINGERPRINT), ("Host fingerprint", FINGERPRINT)),
        claims=(("Program", ("says it is ", Said(value))),),
        request=b"sign",
        approval=LOGIN.approval,
    )
    lines = (await said(question, display, f"hostile-{kind}")).split("\n")
    labels = [line.split(":")[0] for line in lines[1:] if line and not line.startswith(("    ", "\N{WARNING SIGN}"))]
    assert labels == ["Key", "Program", "Key fingerprint", "Host fingerprint"]
    assert f"Key fingerprint: {FINGERPRINT}" in lines
    assert f"Host fingerprint: {FINGERPRINT}" in lines
