"""Bare loops in threads that build nothing, classify nothing and record nothing.

    python -m benchmarks.baselines.loops session|adapter|client

`session` is what people write: a requests.Session in each thread. `adapter` is requests' pooled
HTTPAdapter alone, shared by all threads. `client` is this product's own client alone. Each sends
the very requests that the pump would send, built beforehand. A line on the standard input says what
to do: `prepare` builds requests for all deliveries, `go` sends them; both answer with a line.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import django

django.setup()

import requests  # noqa: E402, TID251 - once Django is set up; the rival is requests itself.
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
"""Sends one request over what it has open, reads the answer, and says its status."""


def _session() -> Send:
    session = requests.Session()
    # The ten origins that requests keeps by default would make it connect anew all the time.
    session.mount("http://", HTTPAdapter(pool_connections=_ORIGINS))

    def send(request: Request) -> int:
        headers = {k: v for k, v in request.headers if k.lower() not in _SET_BY_REQUESTS}
        answer = session.post(request.url, data=request.body, headers=headers, timeout=(5, 15))
        return answer.status_code if answer.content else 0

    return send


def _adapter(adapter: HTTPAdapter, prepared: dict[int, requests.PreparedRequest]) -> Send:
    def send(request: Request) -> int:
        answer = adapter.send(prepared[id(request)], timeout=(5, 15))
        return answer.status_code if answer.content else 0

    return send


def _client(client: Client) -> Send:
    def send(request: Request) -> int:
        response = client.send(request).response
        return response.status if response else 0

    return send


def _built() -> list[Request]:
    rows = Connection.objects.with_everything()
    builders = {row.pk: RequestBuilder(prepare(row).spec) for row in rows}
    deliveries = Delivery.objects.select_related("referral").order_by("pk")
    return [
        builders[one.connection_id].build(
            one.referral.attributes, idempotency_key=one.idempotency_key
        )
        for one in deliveries.iterator()
    ]


def _prepared(request: Request) -> requests.PreparedRequest:
    headers = {k: v for k, v in request.headers if k.lower() not in _SET_BY_REQUESTS}
    return requests.Request("POST", request.url, data=request.body, headers=headers).prepare()


def _race(work: Sequence[Request], make_sender: Callable[[], Send]) -> None:
    waiting: SimpleQueue[Request] = SimpleQueue()
    for request in work:
        waiting.put(request)
    threads = [threading.Thread(target=_run, args=(waiting, make_sender)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(waiting: SimpleQueue[Request], make_sender: Callable[[], Send]) -> None:
    send = make_sender()
    while True:
        try:
            request = waiting.get_nowait()
        except Empty:
            return
        if send(request) != 200:
            raise RuntimeError("A request was not answered.")


def main() -> None:
    """Obey."""
    kind = sys.argv[1]
    adapter = HTTPAdapter(pool_connections=_ORIGINS, pool_maxsize=THREADS)
    client = Client(destination_policy(), pool_size=THREADS)
    work: list[Request] = []
    prepared: dict[int, requests.PreparedRequest] = {}
    makers: dict[str, Callable[[], Send]] = {
        "session": _session,
        "adapter": lambda: _adapter(adapter, prepared),
        "client": lambda: _client(client),
    }
    for line in sys.stdin:
        if line.strip() == "prepare":
            work = _built()
            prepared = {id(one): _prepared(one) for one in work} if kind == "adapter" else {}
        else:
            _race(work, makers[kind])
        print(json.dumps(len(work)), flush=True)


if __name__ == "__main__":
    main()
