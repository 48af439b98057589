"""The pages that show the received requests and people."""

import re
from collections.abc import Callable

# The front page shows the package's docstring, which lists the magic addresses.
from connections import simulator
from connections.simulator.mailchimp import method_not_allowed
from connections.simulator.request import HTTPRequest
from connections.simulator.response import HTTPResponse, json_response, text_response
from connections.simulator.store import ReceivedRequest, Store

DEFAULT_LIMIT = 100
WHOLE_NUMBER = re.compile("[0-9]{1,9}")

PageView = Callable[[HTTPRequest, Store], HTTPResponse]


def handle(request: HTTPRequest, store: Store) -> HTTPResponse:
    """Return the response of the page at the request's path; KeyError if there is none."""
    views = PAGES[request.path]
    view = views.get("GET" if request.method == "HEAD" else request.method)
    return view(request, store) if view else method_not_allowed(", ".join(views))


def show_front(_request: HTTPRequest, _store: Store) -> HTTPResponse:
    """Return the description of the simulator."""
    return text_response(200, simulator.__doc__ or "")


def show_received(request: HTTPRequest, store: Store) -> HTTPResponse:
    """Return the counts and the latest stored requests, filtered by `email`, at most `limit`."""
    query = request.query
    # An address has no spaces: a space in the query was a plus sign that was not escaped.
    email = query.get("email", "").replace(" ", "+")
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not WHOLE_NUMBER.fullmatch(limit):
        return text_response(400, "The limit is not a whole number.")
    counts = {"count": store.count(email), "people": store.people(email)}
    requests = [_to_json(received) for received in store.received(email, int(limit))]
    return json_response(200, counts | {"requests": requests})


def clear_received(_request: HTTPRequest, store: Store) -> HTTPResponse:
    """Delete all people and requests."""
    store.clear()
    return HTTPResponse(204)


def show_people(_request: HTTPRequest, store: Store) -> HTTPResponse:
    """Return the number of added people and the addresses received more than once."""
    return json_response(200, {"count": store.people(), "duplicates": store.duplicates()})


PAGES: dict[str, dict[str, PageView]] = {
    "/": {"GET": show_front},
    "/received": {"GET": show_received, "DELETE": clear_received},
    "/people": {"GET": show_people},
}


def _to_json(received: ReceivedRequest) -> dict[str, object]:
    return {
        "number": received.number,
        "time": received.time.isoformat(),
        "method": received.method,
        "path": received.path,
        "headers": received.headers,
        "body": received.body,
        "email": received.email,
        "status": received.status,
        "added": received.added,
    }
