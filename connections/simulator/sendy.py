"""Sendy's "subscribe": parse its form and build its responses."""

from connections.simulator.person import AddResult, Person, is_email
from connections.simulator.request import HTTPRequest
from connections.simulator.response import HTTPResponse, html_response, text_response

MESSAGES = {
    AddResult.ADDED: (200, "true"),
    AddResult.EXISTS: (200, "Already subscribed."),
    AddResult.UNREADABLE: (200, "Some fields are missing."),
    AddResult.INCOMPLETE: (200, "Some fields are missing."),
    AddResult.INVALID_EMAIL: (200, "Invalid email address."),
    AddResult.WRONG_KEY: (200, "Invalid API key"),
    AddResult.UNAUTHORIZED: (401, "Invalid API key"),
    AddResult.THROTTLED: (429, "Too many requests."),
    AddResult.ERROR: (500, "Internal server error."),
}


def handles(path: str) -> bool:
    """Whether the path belongs to this API."""
    return path == "/subscribe"


def parse_person(request: HTTPRequest) -> Person:
    """Return the person in the request's form."""
    form = request.form
    email, list_id = form.get("email", ""), form.get("list", "")
    error = None if is_email(email) else AddResult.INVALID_EMAIL
    return Person(
        form.get("api_key", ""),
        list_id,
        email,
        wants_plain_text=form.get("boolean") == "true",
        error=error if email and list_id else AddResult.INCOMPLETE,
    )


def build_response(result: AddResult, person: Person) -> HTTPResponse:
    """Return Sendy's response for the result, as plain text or as a page."""
    status, message = MESSAGES[result]
    build = text_response if person.wants_plain_text else html_response
    return build(status, message)
