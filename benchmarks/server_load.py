"""Clients of a server, in a process of their own: `python -m benchmarks.server_load URL CLIENTS SECONDS ROWS`.

Prints as JSON the seconds of each request, and what went wrong. Each client keeps its connection and asks again as soon
as it has an answer.
"""

from __future__ import annotations

import csv
import http.client
import json
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

SAMPLE = Path(__file__).parents[1] / "data/sample/comments.csv"


def sample_texts() -> list[str]:
    """The comments that this project was given: 18 words on average."""
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


def main(url: str, clients: int, seconds: float, rows: int) -> None:
    """Asks until the time is up."""
    found = sample_texts()
    bodies = [json.dumps({"instances": found[start : start + rows]}) for start in range(0, len(found) - rows, rows)]
    until = time.perf_counter() + seconds
    took: list[float] = []
    wrong: list[str] = []

    def ask(client: int) -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        number = client * len(bodies) // clients
        while time.perf_counter() < until:
            started = time.perf_counter()
            number = (number + 1) % len(bodies)
            try:
                connection.request("POST", f"{parts.path}:predict", bodies[number])
                response = connection.getresponse()
                answer = response.read()
                if response.status != 200 or len(json.loads(answer)["predictions"]) != rows:
                    wrong.append(f"{response.status} {answer[:200].decode()}")
            except (OSError, http.client.HTTPException) as error:
                wrong.append(repr(error))
                connection.close()
            took.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"took": took, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
