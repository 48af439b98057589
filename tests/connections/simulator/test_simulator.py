"""Tests of the CRM simulator over HTTP."""

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
from tests.timing import WAIT_SECONDS, scaled, wait_until

BEARER = {"Authorization": "Bearer demo-key"}
MEMBERS = "/3.0/lists/leads/members"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

TextResponse = tuple[int, str, str]


class Client(http.client.HTTPConnection):
    """A keep-alive connection to a CRM; its methods return status, content type and body."""

    def call(self, method: str, path: str, body: str = "", **headers: str) -> TextResponse:
        self.request(method, path, body.encode(), headers)
        response = self.getresponse()
        self.response_headers = response.headers
        return response.status, response.getheader("Content-Type", ""), response.read().decode()

    def add(self, email: object, key: str = "Bearer demo-key", **fields: object) -> TextResponse:
        person = {"email_address": email, "status": "subscribed", "merge_fields": {}} | fields
        return self.call("POST", MEMBERS, json.dumps(person), Authorization=key)

    def subscribe(self, email: str, **fields: str) -> TextResponse:
        form = {"api_key": "demo-key", "list": "leads", "boolean": "true", "email": email} | fields
        return self.call("POST", "/subscribe", urlencode(form))

    def get_json(self, path: str) -> dict[str, object]:
        parsed: dict[str, object] = json.loads(self.call("GET", path)[2])
        return parsed


@pytest.fixture
def crm() -> Iterator[CRM]:
    with CRM(slow_seconds=0.05, hang_seconds=0.05) as crm:
        yield crm


@pytest.fixture
def client(crm: CRM) -> Iterator[Client]:
    client = Client(urlsplit(crm.url).netloc, timeout=WAIT_SECONDS)
    yield client
    client.close()


def parse_problem(response: TextResponse) -> tuple[int, str, str]:
    assert response[1] == "application/problem+json; charset=utf-8"
    fields = json.loads(response[2])
    assert fields["type"] == "https://mailchimp.com/developer/marketing/docs/errors/"
    assert (fields["status"], len(fields["instance"])) == (response[0], 36)
    return response[0], fields["title"], fields["detail"]


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
    assert parse_problem(client.add("JO@example.com")) == (400, "Member Exists", detail)
    assert client.subscribe("jo@example.com") == (200, TEXT, "Already subscribed.")
    assert client.subscribe("jo@example.com", list="others") == (200, TEXT, "true")
    assert parse_problem(client.add("exists+1@example.com"))[:2] == (400, "Member Exists")
    assert (crm.people(), crm.duplicates()) == (2, {"jo@example.com": 4})


@pytest.mark.parametrize("email", ["", "jo", "jo@example", "@example.com", "jo@@a.com", None, 5])
def test_an_invalid_email_is_refused(client: Client, email: object) -> None:
    expected = (400, "Invalid Resource", "Please provide a valid email address.")
    assert parse_problem(client.add(email)) == expected


def test_an_unknown_status_of_a_member_is_refused(client: Client) -> None:
    response = client.add("jo@example.com", status="keen")
    assert parse_problem(response)[:2] == (400, "Invalid Resource")
    assert [error["field"] for error in json.loads(response[2])["errors"]] == ["status"]


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000])
def test_broken_json_is_refused(client: Client, body: str) -> None:
    expected = (400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.")
    assert parse_problem(client.call("POST", MEMBERS, body, **BEARER)) == expected


@pytest.mark.parametrize("key", ["", "Bearer x", "Basic !", "Basic YTp4", "Basic /w==", "demo-key"])
def test_a_wrong_key_is_refused(client: Client, key: str) -> None:
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    assert parse_problem(client.add("jo@example.com", key)) == (401, "API Key Invalid", detail)


def test_other_paths_and_methods_are_refused(client: Client) -> None:
    assert parse_problem(client.call("POST", "/3.0/lists"))[:2] == (404, "Resource Not Found")
    for path, allowed in ((MEMBERS, "POST"), ("/subscribe", "POST"), ("/received", "GET, DELETE")):
        assert parse_problem(client.call("PUT", path))[:2] == (405, "Method Not Allowed")
        assert client.response_headers["Allow"] == allowed


def test_a_form_with_boolean_gets_a_plain_text_response(client: Client) -> None:
    assert client.subscribe("jo@example.com") == (200, TEXT, "true")
    assert client.subscribe("jo") == (200, TEXT, "Invalid email address.")
    assert client.subscribe("") == (200, TEXT, "Some fields are missing.")
    assert client.subscribe("al@example.com", list="") == (200, TEXT, "Some fields are missing.")
    assert client.subscribe("al@example.com", api_key="x") == (200, TEXT, "Invalid API key")
    assert client.subscribe("exists@example.com") == (200, TEXT, "Already subscribed.")
    assert client.subscribe("al@example.com", boolean="")[:2] == (200, HTML)


@pytest.mark.parametrize("api", [Client.add, Client.subscribe])
def test_magic_addresses_have_the_same_effect_in_both_apis(
    client: Client, api: Callable[[Client, str], TextResponse]
) -> None:
    def statuses(email: str) -> list[int]:
        return [api(client, email)[0] for _ in range(3)]

    assert statuses("error@example.com") == [500, 500, 500]
    assert statuses("unauthorized+1@example.org") == [401, 401, 401]
    assert statuses("flaky+17@example.com") == statuses("flaky.17@example.com") == [500, 500, 200]
    assert statuses("throttled@example.com")[:2] == [429, 200]
    assert (api(client, "throttled+2@example.com")[0], client.response_headers["Retry-After"]) == (
        429,
        "1",
    )
    assert api(client, "odd@example.com")[:2] == (200, HTML)
    for email in ("reset@example.com", "hang@example.com"):
        with pytest.raises(http.client.RemoteDisconnected):
            api(client, email)
    assert client.get_json("/people")["count"] == 3


def test_a_slow_response_is_delayed(client: Client) -> None:
    before = time.monotonic()
    assert client.add("slow@example.com")[0] == 200
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize("email", ["error.smith@example.com", "terror@example.com"])
def test_an_ordinary_address_has_no_magic_effect(client: Client, email: str) -> None:
    assert client.add(email)[0] == 200


def test_stopping_the_server_does_not_wait_for_a_hanging_response() -> None:
    with CRM() as crm:
        client = Client(urlsplit(crm.url).netloc, timeout=scaled(0.1))
        with pytest.raises(TimeoutError):
            client.add("hang@example.com")
        wait_until(lambda: bool(crm.received("hang@example.com")))
        assert [request.status for request in crm.received("hang@example.com")] == [None]
        before = time.monotonic()
    assert time.monotonic() - before < scaled(1)
    client.close()


def test_every_request_is_listed_as_it_was_received(crm: CRM, client: Client) -> None:
    client.add("jo+1@example.com")
    client.call("PATCH", "/nowhere?x=1", "Grüße")
    jo, other = crm.received()
    assert (jo.number, jo.method, jo.path, jo.status, jo.added) == (1, "POST", MEMBERS, 200, True)
    assert jo.headers["Authorization"] == "Bearer demo-key"
    assert json.loads(jo.body)["email_address"] == jo.email == "jo+1@example.com"
    assert (other.path, other.body, other.status) == ("/nowhere?x=1", "Grüße", 404)
    names = ("number", "method", "path", "headers", "body", "email", "status", "added")
    requests = [
        {name: getattr(request, name) for name in names} | {"time": request.time.isoformat()}
        for request in (jo, other)
    ]
    assert client.get_json("/received") == {"count": 2, "people": 1, "requests": requests}


def test_received_requests_are_found_by_address_and_limited(client: Client) -> None:
    for email in ("jo+1@example.com", "jo+1@example.com", "al@example.com"):
        client.add(email)
    mine = client.get_json("/received?email=jo+1@example.com")
    assert (mine["count"], mine["people"]) == (2, 1)
    assert mine == client.get_json("/received?email=JO%2B1@example.com&limit=9")
    assert client.get_json("/received?limit=0") == {"count": 3, "people": 2, "requests": []}
    assert '"number": 3' in client.call("GET", "/received?limit=1")[2]
    assert client.call("GET", "/received?limit=few")[0] == 400
    assert client.get_json("/people") == {"count": 2, "duplicates": {"jo+1@example.com": 2}}


def test_received_requests_can_be_deleted(crm: CRM, client: Client) -> None:
    client.add("jo@example.com")
    assert client.call("DELETE", "/received") == (204, "", "")
    assert (crm.received(), crm.people()) == ([], 0)
    assert client.add("jo@example.com")[0] == 200


def test_the_front_page_lists_the_magic_addresses(client: Client) -> None:
    status, kind, body = client.call("GET", "/")
    assert (status, kind, "throttled@" in body) == (200, TEXT, True)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_stops_quietly_on_a_signal(stop: int) -> None:
    command = [sys.executable, "-m", "connections.simulator", "--port", "0", "--key", "other"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        client = Client(
            urlsplit(process.stdout.readline().split()[-1]).netloc, timeout=WAIT_SECONDS
        )
        assert client.add("jo@example.com", "Bearer other")[0] == 200
        process.send_signal(stop)
        assert process.communicate(timeout=WAIT_SECONDS) == ("", "")
    assert process.returncode == 0
    client.close()
