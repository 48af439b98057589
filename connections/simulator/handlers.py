"""Handle a request: store it and return its response."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from connections.simulator import magic_addresses, mailchimp, pages, sendy
from connections.simulator.person import AddResult, Person
from connections.simulator.request import HTTPRequest
from connections.simulator.response import HTTPResponse, html_response
from connections.simulator.store import Store


class API(Protocol):
    """An API for adding people; each is a module with these functions."""

    def handles(self, path: str) -> bool: ...

    def parse_person(self, request: HTTPRequest) -> Person: ...

    def build_response(self, result: AddResult, person: Person) -> HTTPResponse: ...


APIS: tuple[API, ...] = (mailchimp, sendy)
# These two are the same for all APIs: a proxy or a broken server would send them, not the API.
COMMON_RESPONSES = {
    AddResult.ODD: html_response(200, "We will be back soon."),
    AddResult.NO_RESPONSE: HTTPResponse(None),
}


class RequestHandler:
    """Handles one request after another, in the one thread of the server."""

    def __init__(
        self, store: Store, key: str, delays: Mapping[str, float], retry_after: int
    ) -> None:
        self._store = store
        self._key = key
        self._delays = delays
        self._retry_headers = (("Retry-After", str(retry_after)),)

    def change_key(self, key: str) -> None:
        """Accept this key instead of the previous one."""
        self._key = key

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        """Store the request, unless it is for a page, and return its response."""
        # Requests for the pages are not stored: looking at the counts must not change them.
        if request.path in pages.PAGES:
            return pages.handle(request, self._store)
        api = next((api for api in APIS if api.handles(request.path)), None)
        if api and request.method == "POST":
            return self._add_person(request, api)
        response = mailchimp.method_not_allowed("POST") if api else mailchimp.not_found()
        self._store.keep(request, "", response.status, added=False)
        return response

    def _add_person(self, request: HTTPRequest, api: API) -> HTTPResponse:
        person = api.parse_person(request)
        word = magic_addresses.get_magic_word(person.address)
        result = self._add_or_refuse(person, word)
        response = COMMON_RESPONSES.get(result) or api.build_response(result, person)
        if result is AddResult.THROTTLED:
            response = replace(response, headers=self._retry_headers)
        added = result is AddResult.ADDED
        self._store.keep(request, person.address, response.status, added=added)
        delay = self._delays.get(word, 0.0)
        return replace(response, delay=delay) if delay else response

    def _add_or_refuse(self, person: Person, word: str) -> AddResult:
        """Add the person if the request is right, and return the result."""
        earlier = self._store.count(person.address) if word else 0
        forced = magic_addresses.get_forced_result(word, earlier)
        if forced:
            return forced
        if person.key != self._key:
            return AddResult.WRONG_KEY
        if person.error:
            return person.error
        added = word != "exists" and self._store.add(person.list_id, person.address)
        return AddResult.ADDED if added else AddResult.EXISTS
