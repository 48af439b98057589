"""Owns the pages that show what was received, and must not know how a person is answered."""

import re
from collections.abc import Callable

# The package says what it is and which addresses are magic, so its front page need not again.
from connections import simulator
from connections.simulator.mailchimp import method_not_allowed
from connections.simulator.request import Request
from connections.simulator.response import Answer, document, text
from connections.simulator.store import Received, Store

SHOWN = 100
WHOLE_NUMBER = re.compile("[0-9]{1,9}")

Page = Callable[[Request, Store], Answer]


def answer(request: Request, store: Store) -> Answer:
    methods = PAGES[request.path]
    page = methods.get("GET" if request.method == "HEAD" else request.method)
    return page(request, store) if page else method_not_allowed(", ".join(methods))


def show_front(request: Request, store: Store) -> Answer:
    return text(200, simulator.__doc__ or "")


def show_received(request: Request, store: Store) -> Answer:
    query = request.query
    # An address holds no space, so one here is a plus sign which the client forgot to escape.
    email = query.get("email", "").replace(" ", "+")
    limit = query.get("limit", str(SHOWN))
    if not WHOLE_NUMBER.fullmatch(limit):
        return text(400, "The limit is not a whole number.")
    counts = {"count": store.count(email), "people": store.people(email)}
    return document(200, counts | {"requests": _build_shown(store.received(email, int(limit)))})


def forget_received(request: Request, store: Store) -> Answer:
    store.forget()
    return Answer(204)


def show_people(request: Request, store: Store) -> Answer:
    return document(200, {"count": store.people(), "duplicates": store.duplicates()})


PAGES: dict[str, dict[str, Page]] = {
    "/": {"GET": show_front},
    "/received": {"GET": show_received, "DELETE": forget_received},
    "/people": {"GET": show_people},
}


def _build_shown(requests: list[Received]) -> list[dict[str, object]]:
    return [
        {
            "number": one.number,
            "time": one.time.isoformat(),
            "method": one.method,
            "path": one.path,
            "headers": one.headers,
            "body": one.body,
            "email": one.email,
            "status": one.status,
            "added": one.added,
        }
        for one in requests
    ]
