"""Loops in threads that only send: they build, classify and record nothing.

    python -m benchmarks.baselines.loops session|adapter|client

`session` is the usual code: one requests.Session per thread. `adapter` is requests' pooled
HTTPAdapter alone, shared by all threads. `client` is this product's own client alone. Each sends
exactly the requests that the pump would send, built beforehand. The process reads commands from its
standard input, `prepare` (build the requests of all deliveries) and `go` (send them), and prints
the number of requests after each.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import django

django.setup()

import requests  # noqa: E402, TID251 - once Django is set up; this baseline is requests.
from requests.adapters import HTTPAdapter  # noqa: E402, TID251 - likewise.

from connections.attempt import prepare  # noqa: E402 - Django first.
from connections.core.messages import Request  # noqa: E402
from connections.core.request.builder import RequestBuilder  # noqa: E402
from connections.models import Connection  # noqa: E402
from connections.transport import Client  # noqa: E402
from connections.transport.shared import destination_policy  # noqa: E402
from referrals.models import Delivery  # noqa: E402

THREADS = 32
_ORIGINS = 256
_SET_BY_REQUESTS = {"host", "content-length"}

Send = Callable[[Request], int]
"""Send one request over a pooled connection, read the response and return its status."""


def _session_sender() -> Send:
    session = requests.Session()
    # requests keeps pools of ten origins by default; with more it would reconnect all the time.
    session.mount("http://", HTTPAdapter(pool_connections=_ORIGINS))

    def send(request: Request) -> int:
        headers = {k: v for k, v in request.headers if k.lower() not in _SET_BY_REQUESTS}
        response = session.post(request.url, data=request.body, headers=headers, timeout=(5, 15))
        return response.status_code if response.content else 0

    return send


def _adapter_sender(adapter: HTTPAdapter, prepared: dict[int, requests.PreparedRequest]) -> Send:
    def send(request: Request) -> int:
        response = adapter.send(prepared[id(request)], timeout=(5, 15))
        return response.status_code if response.content else 0

    return send


def _client_sender(client: Client) -> Send:
    def send(request: Request) -> int:
        response = client.send(request).response
        return response.status if response else 0

    return send


def _build_requests() -> list[Request]:
    builders = {
        connection.pk: RequestBuilder(prepare(connection).spec)
        for connection in Connection.objects.with_everything()
    }
    deliveries = Delivery.objects.select_related("referral").order_by("pk")
    return [
        builders[delivery.connection_id].build(
            delivery.referral.attributes, idempotency_key=delivery.idempotency_key
        )
        for delivery in deliveries.iterator()
    ]


def _prepare_for_requests(request: Request) -> requests.PreparedRequest:
    headers = {k: v for k, v in request.headers if k.lower() not in _SET_BY_REQUESTS}
    return requests.Request("POST", request.url, data=request.body, headers=headers).prepare()


def _send_all(requests_to_send: Sequence[Request], make_sender: Callable[[], Send]) -> None:
    queue: SimpleQueue[Request] = SimpleQueue()
    for request in requests_to_send:
        queue.put(request)
    threads = [
        threading.Thread(target=_send_queued, args=(queue, make_sender)) for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send_queued(queue: SimpleQueue[Request], make_sender: Callable[[], Send]) -> None:
    send = make_sender()
    while True:
        try:
            request = queue.get_nowait()
        except Empty:
            return
        if send(request) != 200:
            raise RuntimeError("A request was not answered.")


def main() -> None:
    """Handle each command on the standard input."""
    kind = sys.argv[1]
    adapter = HTTPAdapter(pool_connections=_ORIGINS, pool_maxsize=THREADS)
    client = Client(destination_policy(), pool_size=THREADS)
    requests_to_send: list[Request] = []
    prepared: dict[int, requests.PreparedRequest] = {}
    makers: dict[str, Callable[[], Send]] = {
        "session": _session_sender,
        "adapter": lambda: _adapter_sender(adapter, prepared),
        "client": lambda: _client_sender(client),
    }
    for line in sys.stdin:
        if line.strip() == "prepare":
            requests_to_send = _build_requests()
            prepared = (
                {id(request): _prepare_for_requests(request) for request in requests_to_send}
                if kind == "adapter"
                else {}
            )
        else:
            _send_all(requests_to_send, makers[kind])
        print(json.dumps(len(requests_to_send)), flush=True)


if __name__ == "__main__":
    main()
