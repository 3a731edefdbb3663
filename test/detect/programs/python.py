# Small real programs in Python, one for each way in which memory behaves: `python3 python.py NAME`. Each works in small steps at a steady rate.

import functools
import random
import sys
import time
from collections import OrderedDict

KIB = 1024
count = 0


def record(size):
    global count
    count += 1
    return {"id": count, "name": f"user {count}", "body": str(count) + "x" * size}


def forever(per_second, step):
    while True:
        step()
        time.sleep(1 / per_second)


def idle():
    forever(1, lambda: None)


def stateless():
    forever(50, lambda: [record(10 * KIB) for _ in range(5)])


def bounded_cache():
    entries = OrderedDict()

    def step():
        entry = record(20 * KIB)
        entries[entry["id"]] = entry
        if len(entries) > 1000:
            entries.popitem(last=False)

    forever(20, step)


def lru_cache():
    @functools.lru_cache(maxsize=2000)
    def load(key):
        return record(8 * KIB)

    forever(40, lambda: load(random.randrange(4000)))


def ttl_cache():
    entries = OrderedDict()

    def step():
        now = time.monotonic()
        entries[now] = record(10 * KIB)
        while next(iter(entries)) < now - 20:
            entries.popitem(last=False)

    forever(40, step)


def warm_up():
    loaded = []
    forever(20, lambda: loaded.append(record(50 * KIB)) if len(loaded) < 1000 else record(10 * KIB))


def cycles():
    def step():
        for _ in range(50):
            a, b = record(4 * KIB), record(4 * KIB)
            a["other"], b["other"] = b, a

    forever(20, step)


def mixed_sizes():
    kept = [record(random.randrange(64, 64 * KIB)) for _ in range(1500)]

    def step():
        for _ in range(20):
            kept[random.randrange(len(kept))] = record(random.randrange(64, 64 * KIB))

    forever(20, step)


def leak_list():
    kept = []
    forever(20, lambda: kept.append(record(8 * KIB)))


def leak_sessions():
    sessions = {}

    def step():
        entry = record(4 * KIB)
        sessions[entry["id"]] = [entry, [record(64) for _ in range(20)]]
        [record(10 * KIB) for _ in range(20)]

    forever(20, step)


def leak_slow():
    kept = []
    forever(20, lambda: (kept.append(record(1 * KIB)), record(40 * KIB)))


programs = {name.replace("_", "-"): program for name, program in list(globals().items()) if callable(program)}
programs[sys.argv[1]]()
