"""Helpers of the tests of the connection's pages: URLs, forms as a browser sends them, messages."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.models import Connection


class _FormReader(HTMLParser):
    """Parser that collects what a browser would send for one form of a page."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self._form_id = form_id
        self._is_inside = False
        self._in_template = 0
        self._select = self._textarea = ""
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = attributes.get("id") == self._form_id
        self._in_template += tag == "template"
        if not self._is_inside or self._in_template:
            return
        if tag == "input":
            self._add_input(attributes)
        elif tag == "select":
            self._select = attributes["name"]
            self.fields[self._select] = []
        elif tag == "option" and ("selected" in attributes or not self.fields[self._select]):
            # Without a selected option a browser sends the first one.
            self.fields[self._select] = [attributes["value"]]
        elif tag == "textarea":
            self._textarea = attributes["name"]
            self.fields[self._textarea] = [""]

    def handle_endtag(self, tag: str) -> None:
        self._in_template -= tag == "template"
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea][0] += data

    def _add_input(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text")
        is_off = kind in ("checkbox", "radio") and "checked" not in attributes
        if "name" in attributes and kind != "submit" and not is_off:
            self.fields.setdefault(attributes["name"], []).append(attributes.get("value", ""))


def read_form(html: str, form_id: str = "connection_form") -> dict[str, list[str]]:
    """Return the form's fields and values, with line breaks as browsers send them."""
    reader = _FormReader(form_id)
    reader.feed(html)
    # HTML ignores the line break after <textarea>, and browsers send the others as CRLF.
    return {
        name: [value.removeprefix("\n").replace("\n", "\r\n") for value in values]
        for name, values in reader.fields.items()
    }


def change_url(connection: Connection) -> str:
    return reverse("admin:connections_connection_change", args=[connection.pk])


def page_url(name: str, *args: Any) -> str:
    """Return the URL of one of the pages around connections."""
    return reverse(f"admin:connections_connection_{name}", args=args)


def change_form(browser: Client, connection: Connection) -> dict[str, list[str]]:
    """Return what a browser would send for the connection's unchanged page."""
    return read_form(browser.get(change_url(connection)).content.decode())


def press_test(browser: Client, connection: Connection) -> str:
    """Press the Test button; return the URL of the page that waits for the result."""
    return str(browser.post(page_url("test", connection.pk)).headers["Location"])


def job_id_of(wait_url: str) -> str:
    return wait_url.rstrip("/").rpartition("/")[2]


def read_messages(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]
