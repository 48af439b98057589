"""Owns what Sendy's plain-text "subscribe" reads and answers, and must not know what is stored."""

from connections.simulator.person import Outcome, Person, is_email
from connections.simulator.request import Request
from connections.simulator.response import Answer, page, text

WORDS = {
    Outcome.ADDED: (200, "true"),
    Outcome.EXISTS: (200, "Already subscribed."),
    Outcome.UNREADABLE: (200, "Some fields are missing."),
    Outcome.INCOMPLETE: (200, "Some fields are missing."),
    Outcome.INVALID_EMAIL: (200, "Invalid email address."),
    Outcome.WRONG_KEY: (200, "Invalid API key"),
    Outcome.UNAUTHORIZED: (401, "Invalid API key"),
    Outcome.THROTTLED: (429, "Too many requests."),
    Outcome.ERROR: (500, "Internal server error."),
}


def owns(path: str) -> bool:
    return path == "/subscribe"


def person(request: Request) -> Person:
    form = request.form
    email, list_id = form.get("email", ""), form.get("list", "")
    fault = None if is_email(email) else Outcome.INVALID_EMAIL
    return Person(
        form.get("api_key", ""),
        list_id,
        email,
        plain=form.get("boolean") == "true",
        fault=fault if email and list_id else Outcome.INCOMPLETE,
    )


def answer(outcome: Outcome, person: Person) -> Answer:
    status, words = WORDS[outcome]
    return text(status, words) if person.plain else page(status, words)
