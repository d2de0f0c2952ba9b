"""The one error of the guest's commands: a sentence for the user, and the exit status that goes with it."""


class GuestError(Exception):
    """`sentence` is printed after "litterbox: "; `status` becomes the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
