"""What the tests of the connection's pages share: the form as a browser sends it, and a worker."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from config.queue import job_queue
from connections.models import Connection


class _FormReader(HTMLParser):
    """Collects what a browser would send for one form of a page."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self._form_id = form_id
        self._is_inside = False
        self._in_template = 0
        self._select = self._textarea = ""
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = found.get("id") == self._form_id
        self._in_template += tag == "template"
        if not self._is_inside or self._in_template:
            return
        if tag == "input":
            self._take_input(found)
        elif tag == "select":
            self._select = found["name"]
            self.fields.setdefault(self._select, [""])
        elif tag == "option" and "selected" in found:
            self.fields[self._select] = [found["value"]]
        elif tag == "textarea":
            self._textarea = found["name"]
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

    def _take_input(self, found: dict[str, str]) -> None:
        kind = found.get("type", "text")
        is_off = kind in ("checkbox", "radio") and "checked" not in found
        if "name" in found and kind != "submit" and not is_off:
            self.fields.setdefault(found["name"], []).append(found.get("value", ""))


def read_form(html: str, form_id: str = "connection_form") -> dict[str, list[str]]:
    """The fields of the form with what stands in them; lines of texts end as browsers end them."""
    reader = _FormReader(form_id)
    reader.feed(html)
    # HTML drops the line break behind <textarea>, and browsers send others with a carriage return.
    return {
        name: [value.removeprefix("\n").replace("\n", "\r\n") for value in values]
        for name, values in reader.fields.items()
    }


def change_url(connection: Connection) -> str:
    """The page of the connection."""
    return reverse("admin:connections_connection_change", args=[connection.pk])


def page_url(name: str, *args: Any) -> str:
    """One of the pages around a connection."""
    return reverse(f"admin:connections_connection_{name}", args=args)


def change_form(browser: Client, connection: Connection) -> dict[str, list[str]]:
    """What a browser would send for the connection's page without a change."""
    return read_form(browser.get(change_url(connection)).content.decode())


def work_off() -> None:
    """What a worker does with the jobs that wait."""
    worker = SimpleWorker(
        [job_queue.QUEUE], connection=job_queue.redis_connection(), serializer=JSONSerializer
    )
    worker.work(burst=True, logging_level="WARNING")
