"""What a question says, field by field, where there is all the room that it could want."""

from litterbox.confirm.question import Question
from litterbox.confirm.said import rendered


def fields_of(question: Question) -> dict[str, str]:
    """Each label, claims and details included, with its value as text."""
    return {label: rendered(words, 10_000) for label, words in question.fields + question.claims + question.details}
