"""A Flask application, or a program by itself, that keeps, caches or leaks what each request makes.

    OPTIONS='{"leak": {"kind": "list", "bytes": 4096}}' gunicorn app:app
    OPTIONS='{"per_second": 5, "cache": {"entries": 5000, "bytes": 8192}}' python3 app.py

Sizes are in bytes, times in seconds.
"""

import collections
import ctypes
import json
import os
import random
import time

options = json.loads(os.environ["OPTIONS"])
started = time.monotonic()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

kept = []
cache = collections.OrderedDict()
pieces = [b""] * options.get("pieces", {}).get("count", 0)
requests = 0


def record(size):
    """A row as a program has it: a dict of texts and numbers."""
    return {"id": requests, "tags": [f"tag-{requests}-{i}" for i in range(8)], "body": bytes([requests % 251]) * size}


def leak(kind, bytes, after=0):
    if time.monotonic() - started < after:
        return
    if kind == "list":
        kept.append(record(bytes))
    else:  # below Python: an extension that forgets to free
        libc.memset(libc.malloc(bytes), 1, bytes)


def fill_cache(entries, bytes):
    cache[requests] = record(bytes)
    if len(cache) > entries:
        cache.popitem(last=False)


def replace_pieces(count, smallest, largest, per_request):
    """Sizes grow while pieces are replaced: holes do not fit, until they all have been made."""
    for _ in range(per_request):
        at = random.randrange(count)
        pieces[at] = os.urandom(8) * (random.randint(smallest, largest) // 8)


def run_job(every, bytes, seconds):
    if requests % every == 0:
        rows = [record(1024) for _ in range(bytes // 2048)]
        time.sleep(seconds)
        rows.clear()


def handle():
    global requests
    requests += 1
    answer = json.dumps([{"row": i, "text": str(i) * 20} for i in range(200)])
    if "leak" in options:
        leak(**options["leak"])
    if "cache" in options:
        fill_cache(**options["cache"])
    if "pieces" in options:
        replace_pieces(**options["pieces"])
    if "job" in options:
        run_job(**options["job"])
    return answer


if __name__ == "__main__":
    while True:
        if options.get("idle"):
            time.sleep(60)
            continue
        handle()
        time.sleep(1 / options["per_second"])
else:
    import flask

    app = flask.Flask(__name__)

    @app.get("/")
    def index():
        return flask.Response(handle(), mimetype="application/json")
