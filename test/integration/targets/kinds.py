"""kinds.py KIND FILE [--group=NAME]: takes a mebibyte a second, of one kind, until it has 200.
shared: memory that a fork would share; mapped: pages of FILE that it maps and reads; cached: pages of FILE that it only writes."""
import mmap, sys, time

kind, path = sys.argv[1:3]
size, step = 200 << 20, 1 << 20
if kind == "shared":
    memory = mmap.mmap(-1, size)
else:
    file = open(path, "w+b")
    file.truncate(size)
    memory = mmap.mmap(file.fileno(), size) if kind == "mapped" else None
print("ready", flush=True)
for at in range(0, size, step):
    if kind == "shared":
        memory[at : at + step] = b"x" * step
    elif kind == "mapped":
        for page in range(at, at + step, mmap.PAGESIZE):
            memory[page]
    else:
        file.write(b"x" * step)
        file.flush()
    time.sleep(1)
time.sleep(600)
