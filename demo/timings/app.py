"""A leak. Every call is timed, and the timings are kept until somebody clears them. Nobody does.

A small library for timing functions did this to a real service: some 1.4 MB an hour, seen only after a month.
"""

import logging
import os
import signal
import sys
import threading
import time
from functools import wraps

from flask import Flask, Response

speed = float(os.environ.get("DEMO_SPEED") or 1)
# A day's requests are not multiplied when the day is compressed, so each keeps as much more.
kept_bytes = int(float(os.environ.get("LEAK_KIB_PER_REQUEST") or 1) * speed * 1024)

timings = []
requests = 0
lock = threading.Lock()

app = Flask(__name__)


def timed(function):
    """Remembers when the function was called, with what, and how long it took."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            context = b"." * kept_bytes
            timings.append({"name": function.__name__, "seconds": time.perf_counter() - started, "context": context})

    return wrapper


def clear_timings():
    """Would have been the end of it."""
    timings.clear()


@app.get("/work")
@timed
def work():
    global requests
    with lock:
        requests += 1
    return Response("done\n", mimetype="text/plain")


@app.get("/healthz")
def healthz():
    return Response("ok\n", mimetype="text/plain")


@app.get("/metrics")
def metrics():
    return Response(
        "# HELP demo_requests_total Requests to /work.\n"
        "# TYPE demo_requests_total counter\n"
        f'demo_requests_total{{app="app.py"}} {requests}\n'
        "# HELP demo_retained_bytes What the service believes it holds.\n"
        "# TYPE demo_retained_bytes gauge\n"
        f'demo_retained_bytes{{app="app.py"}} {len(timings) * kept_bytes}\n',
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT") or 8080), threaded=True)
