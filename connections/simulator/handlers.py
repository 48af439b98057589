"""Owns which answer a request gets and that it is kept, and must not know how bytes travel."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from connections.simulator import magic_addresses, mailchimp, pages, sendy
from connections.simulator.person import Outcome, Person
from connections.simulator.request import Request
from connections.simulator.response import Answer, page
from connections.simulator.store import Store


class API(Protocol):
    """One way of telling a CRM about a person."""

    def owns(self, path: str) -> bool: ...

    def person(self, request: Request) -> Person: ...

    def answer(self, outcome: Outcome, person: Person) -> Answer: ...


APIS: tuple[API, ...] = (mailchimp, sendy)
# No API puts these two into words: nothing that knows the API has answered.
WORDLESS = {
    Outcome.ODD: page(200, "We will be back soon."),
    Outcome.SILENCE: Answer(None),
}


class Handlers:
    """Answers requests one after another, in the one thread which serves them."""

    def __init__(
        self, store: Store, key: str, delays: Mapping[str, float], retry_after: int
    ) -> None:
        self._store = store
        self._key = key
        self._delays = delays
        self._retry_headers = (("Retry-After", str(retry_after)),)

    def change_key(self, key: str) -> None:
        self._key = key

    def answer(self, request: Request) -> Answer:
        # The pages about the received requests are not themselves received, or looking would count.
        if request.path in pages.PAGES:
            return pages.answer(request, self._store)
        api = next((api for api in APIS if api.owns(request.path)), None)
        if api and request.method == "POST":
            return self._receive(request, api)
        answer = mailchimp.method_not_allowed("POST") if api else mailchimp.not_found()
        self._store.keep(request, "", answer.status, added=False)
        return answer

    def _receive(self, request: Request, api: API) -> Answer:
        person = api.person(request)
        word = magic_addresses.word(person.address)
        outcome = self._outcome(person, word)
        answer = WORDLESS.get(outcome) or api.answer(outcome, person)
        if outcome is Outcome.THROTTLED:
            answer = replace(answer, headers=self._retry_headers)
        added = outcome is Outcome.ADDED
        self._store.keep(request, person.address, answer.status, added=added)
        delay = self._delays.get(word, 0.0)
        return replace(answer, delay=delay) if delay else answer

    def _outcome(self, person: Person, word: str) -> Outcome:
        forced = magic_addresses.outcome(word, self._store.count(person.address)) if word else None
        if forced:
            return forced
        if person.key != self._key:
            return Outcome.WRONG_KEY
        if person.fault:
            return person.fault
        added = word != "exists" and self._store.add(person.list_id, person.address)
        return Outcome.ADDED if added else Outcome.EXISTS
