"""Mailchimp's "add list member": parse its JSON and build its responses."""

import base64
import binascii
import hashlib
import json
import re
import uuid

from connections.simulator.person import AddResult, Person, is_email
from connections.simulator.request import HTTPRequest
from connections.simulator.response import HTTPResponse, ResponseHeaders, json_response

MEMBERS = re.compile(r"/3\.0/lists/([^/]+)/members")
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
ERROR_TYPE_URL = "https://mailchimp.com/developer/marketing/docs/errors/"
PROBLEM_JSON = "application/problem+json; charset=utf-8"
KEY_INVALID = (
    401,
    "API Key Invalid",
    "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
)
PROBLEMS = {
    AddResult.EXISTS: (
        400,
        "Member Exists",
        "{} is already a list member. Use PUT to insert or update list members.",
    ),
    AddResult.UNREADABLE: (
        400,
        "JSON Parse Error",
        "We encountered an unspecified JSON parsing error.",
    ),
    AddResult.INCOMPLETE: (
        400,
        "Invalid Resource",
        (
            "The resource submitted could not be validated. "
            "For field-specific details, see the 'errors' array."
        ),
    ),
    AddResult.INVALID_EMAIL: (400, "Invalid Resource", "Please provide a valid email address."),
    AddResult.WRONG_KEY: KEY_INVALID,
    AddResult.UNAUTHORIZED: KEY_INVALID,
    AddResult.THROTTLED: (
        429,
        "Too Many Requests",
        "You have exceeded the limit of 10 simultaneous connections.",
    ),
    AddResult.ERROR: (
        500,
        "Internal Server Error",
        "An unexpected internal error has occurred. Please contact Support for more information.",
    ),
}


def handles(path: str) -> bool:
    """Whether the path belongs to this API."""
    return MEMBERS.fullmatch(path) is not None


def parse_person(request: HTTPRequest) -> Person:
    """Return the person in the request's JSON."""
    key = _key(request.headers.get("authorization", ""))
    list_id = request.path.split("/")[3]
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        return Person(key, list_id, error=AddResult.UNREADABLE)
    return _build_person(key, list_id, fields if isinstance(fields, dict) else {})


def build_response(result: AddResult, person: Person) -> HTTPResponse:
    """Return Mailchimp's response for the result."""
    if result is AddResult.ADDED:
        return json_response(200, _member(person))
    status, title, detail = PROBLEMS[result]
    errors = _status_errors() if result is AddResult.INCOMPLETE else []
    return _problem(status, title, detail.format(person.email), errors=errors)


def not_found() -> HTTPResponse:
    """Return the response for an unknown path."""
    return _problem(404, "Resource Not Found", "The requested resource could not be found.")


def method_not_allowed(allowed: str) -> HTTPResponse:
    """Return the response for another method than the allowed ones."""
    detail = (
        "The requested method and resource are not compatible. "
        "See the Allow header for this resource's available methods."
    )
    return _problem(405, "Method Not Allowed", detail, (("Allow", allowed),))


def _key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _build_person(key: str, list_id: str, fields: dict[str, object]) -> Person:
    email, status = fields.get("email_address"), fields.get("status")
    merge_fields = fields.get("merge_fields")
    error = None if status in STATUSES else AddResult.INCOMPLETE
    return Person(
        key,
        list_id,
        email if isinstance(email, str) else "",
        status if isinstance(status, str) else "",
        merge_fields if isinstance(merge_fields, dict) else {},
        error=error if isinstance(email, str) and is_email(email) else AddResult.INVALID_EMAIL,
    )


def _member(person: Person) -> dict[str, object]:
    # A JSON string may hold a lone surrogate, which UTF-8 does not accept.
    digest = hashlib.md5(
        person.address.encode(errors="surrogatepass"), usedforsecurity=False
    ).hexdigest()
    names = (person.merge_fields.get(name, "") for name in ("FNAME", "LNAME"))
    return {
        "id": digest,
        "email_address": person.email,
        "unique_email_id": digest[:10],
        "contact_id": digest[::-1],
        "full_name": " ".join(str(name) for name in names if name),
        "web_id": int(digest[:7], 16),
        "email_type": "html",
        "status": person.status,
        "merge_fields": person.merge_fields,
        "vip": False,
        "language": "",
        "list_id": person.list_id,
    }


def _status_errors() -> list[dict[str, str]]:
    message = f"Data presented is not one of the accepted values: {', '.join(STATUSES)}."
    return [{"field": "status", "message": message}]


def _problem(
    status: int,
    title: str,
    detail: str,
    headers: ResponseHeaders = (),
    errors: list[dict[str, str]] | None = None,
) -> HTTPResponse:
    problem: dict[str, object] = {
        "type": ERROR_TYPE_URL,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": str(uuid.uuid4()),
    }
    content = problem | ({"errors": errors} if errors else {})
    return json_response(status, content, PROBLEM_JSON, headers)
