"""Owns what the CRM simulator promises over HTTP, and must not know how it is built."""

import base64
import hashlib
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from connections.simulator import CRM

BEARER = {"Authorization": "Bearer demo-key"}
MEMBERS = "/3.0/lists/leads/members"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

ReadResult = tuple[int, str, str]


class Client(http.client.HTTPConnection):
    """One keep-alive connection to a CRM; each call answers with the status, type and body."""

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> ReadResult:
        self.request(method, path, body.encode(), headers)
        answer = self.getresponse()
        self.got = answer.headers
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()

    def add(self, email: object, key: str = "Bearer demo-key", **fields: object) -> ReadResult:
        person = {"email_address": email, "status": "subscribed", "merge_fields": {}} | fields
        return self.ask("POST", MEMBERS, json.dumps(person), Authorization=key)

    def subscribe(self, email: str, **fields: str) -> ReadResult:
        form = {"api_key": "demo-key", "list": "leads", "boolean": "true", "email": email} | fields
        return self.ask("POST", "/subscribe", urlencode(form))

    def see(self, path: str) -> dict[str, object]:
        shown: dict[str, object] = json.loads(self.ask("GET", path)[2])
        return shown


@pytest.fixture
def crm() -> Iterator[CRM]:
    with CRM(slow_seconds=0.05, hang_seconds=0.05) as crm:
        yield crm


@pytest.fixture
def client(crm: CRM) -> Iterator[Client]:
    client = Client(urlsplit(crm.url).netloc, timeout=10)
    yield client
    client.close()


def problem(reply: ReadResult) -> tuple[int, str, str]:
    assert reply[1] == "application/problem+json; charset=utf-8"
    fields = json.loads(reply[2])
    assert fields["type"] == "https://mailchimp.com/developer/marketing/docs/errors/"
    assert (fields["status"], len(fields["instance"])) == (reply[0], 36)
    return reply[0], fields["title"], fields["detail"]


def test_a_new_person_becomes_a_member(client: Client) -> None:
    names = {"FNAME": "Jo", "LNAME": "Doe"}
    basic = base64.b64encode(b"anyone:demo-key").decode()
    status, kind, body = client.add("Jo@Example.com", f"Basic {basic}", merge_fields=names)
    assert (status, kind) == (200, "application/json; charset=utf-8")
    member = json.loads(body)
    assert member["id"] == hashlib.md5(b"jo@example.com").hexdigest()
    assert member["unique_email_id"] == member["id"][:10]
    assert (member["email_address"], member["full_name"]) == ("Jo@Example.com", "Jo Doe")
    assert (member["status"], member["list_id"]) == ("subscribed", "leads")
    assert member["merge_fields"] == names


def test_a_person_is_added_once_to_a_list_by_either_api(crm: CRM, client: Client) -> None:
    client.add("jo@example.com")
    detail = "JO@example.com is already a list member. Use PUT to insert or update list members."
    assert problem(client.add("JO@example.com")) == (400, "Member Exists", detail)
    assert client.subscribe("jo@example.com") == (200, TEXT, "Already subscribed.")
    assert client.subscribe("jo@example.com", list="others") == (200, TEXT, "true")
    assert problem(client.add("exists+1@example.com"))[:2] == (400, "Member Exists")
    assert (crm.people(), crm.duplicates()) == (2, {"jo@example.com": 4})


@pytest.mark.parametrize("email", ["", "jo", "jo@example", "@example.com", "jo@@a.com", None, 5])
def test_an_invalid_email_is_refused(client: Client, email: object) -> None:
    expected = (400, "Invalid Resource", "Please provide a valid email address.")
    assert problem(client.add(email)) == expected


def test_a_status_mailchimp_does_not_know_is_refused(client: Client) -> None:
    reply = client.add("jo@example.com", status="keen")
    assert problem(reply)[:2] == (400, "Invalid Resource")
    assert [error["field"] for error in json.loads(reply[2])["errors"]] == ["status"]


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000])
def test_broken_json_is_refused(client: Client, body: str) -> None:
    expected = (400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.")
    assert problem(client.ask("POST", MEMBERS, body, **BEARER)) == expected


@pytest.mark.parametrize("key", ["", "Bearer x", "Basic !", "Basic YTp4", "Basic /w==", "demo-key"])
def test_a_wrong_key_is_refused(client: Client, key: str) -> None:
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    assert problem(client.add("jo@example.com", key)) == (401, "API Key Invalid", detail)


def test_other_paths_and_methods_are_refused(client: Client) -> None:
    assert problem(client.ask("POST", "/3.0/lists"))[:2] == (404, "Resource Not Found")
    for path, allowed in ((MEMBERS, "POST"), ("/subscribe", "POST"), ("/received", "GET, DELETE")):
        assert problem(client.ask("PUT", path))[:2] == (405, "Method Not Allowed")
        assert client.got["Allow"] == allowed


def test_the_form_is_answered_in_plain_text_if_that_is_asked_for(client: Client) -> None:
    assert client.subscribe("jo@example.com") == (200, TEXT, "true")
    assert client.subscribe("jo") == (200, TEXT, "Invalid email address.")
    assert client.subscribe("") == (200, TEXT, "Some fields are missing.")
    assert client.subscribe("al@example.com", list="") == (200, TEXT, "Some fields are missing.")
    assert client.subscribe("al@example.com", api_key="x") == (200, TEXT, "Invalid API key")
    assert client.subscribe("exists@example.com") == (200, TEXT, "Already subscribed.")
    assert client.subscribe("al@example.com", boolean="")[:2] == (200, HTML)


@pytest.mark.parametrize("api", [Client.add, Client.subscribe])
def test_magic_addresses_fail_alike_in_both_apis(
    client: Client, api: Callable[[Client, str], ReadResult]
) -> None:
    def statuses(email: str) -> list[int]:
        return [api(client, email)[0] for _ in range(3)]

    assert statuses("error@example.com") == [500, 500, 500]
    assert statuses("unauthorized+1@example.org") == [401, 401, 401]
    assert statuses("flaky+17@example.com") == statuses("flaky.17@example.com") == [500, 500, 200]
    assert statuses("throttled@example.com")[:2] == [429, 200]
    assert (api(client, "throttled+2@example.com")[0], client.got["Retry-After"]) == (429, "1")
    assert api(client, "odd@example.com")[:2] == (200, HTML)
    for email in ("reset@example.com", "hang@example.com"):
        with pytest.raises(http.client.RemoteDisconnected):
            api(client, email)
    assert client.see("/people")["count"] == 3


def test_a_slow_answer_comes_late(client: Client) -> None:
    before = time.monotonic()
    assert client.add("slow@example.com")[0] == 200
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize("email", ["error.smith@example.com", "terror@example.com"])
def test_an_ordinary_address_is_not_taken_for_magic(client: Client, email: str) -> None:
    assert client.add(email)[0] == 200


def test_a_stop_does_not_wait_for_a_hanging_answer() -> None:
    with CRM() as crm:
        client = Client(urlsplit(crm.url).netloc, timeout=0.1)
        with pytest.raises(TimeoutError):
            client.add("hang@example.com")
        assert [one.status for one in crm.received("hang@example.com")] == [None]
        before = time.monotonic()
    assert time.monotonic() - before < 1
    client.close()


def test_every_request_is_shown_as_it_was_received(crm: CRM, client: Client) -> None:
    client.add("jo+1@example.com")
    client.ask("PATCH", "/nowhere?x=1", "Grüße")
    jo, other = crm.received()
    assert (jo.number, jo.method, jo.path, jo.status, jo.added) == (1, "POST", MEMBERS, 200, True)
    assert jo.headers["Authorization"] == "Bearer demo-key"
    assert json.loads(jo.body)["email_address"] == jo.email == "jo+1@example.com"
    assert (other.path, other.body, other.status) == ("/nowhere?x=1", "Grüße", 404)
    names = ("number", "method", "path", "headers", "body", "email", "status", "added")
    requests = [
        {name: getattr(one, name) for name in names} | {"time": one.time.isoformat()}
        for one in (jo, other)
    ]
    assert client.see("/received") == {"count": 2, "people": 1, "requests": requests}


def test_received_requests_are_found_by_address_and_limited(client: Client) -> None:
    for email in ("jo+1@example.com", "jo+1@example.com", "al@example.com"):
        client.add(email)
    mine = client.see("/received?email=jo+1@example.com")
    assert (mine["count"], mine["people"]) == (2, 1)
    assert mine == client.see("/received?email=JO%2B1@example.com&limit=9")
    assert client.see("/received?limit=0") == {"count": 3, "people": 2, "requests": []}
    assert '"number": 3' in client.ask("GET", "/received?limit=1")[2]
    assert client.ask("GET", "/received?limit=few")[0] == 400
    assert client.see("/people") == {"count": 2, "duplicates": {"jo+1@example.com": 2}}


def test_everything_is_forgotten(crm: CRM, client: Client) -> None:
    client.add("jo@example.com")
    assert client.ask("DELETE", "/received") == (204, "", "")
    assert (crm.received(), crm.people()) == ([], 0)
    assert client.add("jo@example.com")[0] == 200


def test_the_front_page_lists_the_magic_addresses(client: Client) -> None:
    status, kind, body = client.ask("GET", "/")
    assert (status, kind, "throttled@" in body) == (200, TEXT, True)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_ends_quietly_when_told_to(stop: int) -> None:
    command = [sys.executable, "-m", "connections.simulator", "--port", "0", "--key", "other"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        client = Client(urlsplit(process.stdout.readline().split()[-1]).netloc, timeout=10)
        assert client.add("jo@example.com", "Bearer other")[0] == 200
        process.send_signal(stop)
        assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0
    client.close()
