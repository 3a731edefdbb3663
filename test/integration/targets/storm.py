"""storm.py SECONDS PER_SECOND [CGROUP_PARENT]: starts that many processes a second, each of which ends after some milliseconds; and with a
folder of cgroups, one more every 50 ms in a cgroup of its own, which is removed with it."""
import os, signal, sys, time

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
seconds, per_second = float(sys.argv[1]), int(sys.argv[2])
parent = sys.argv[3] if len(sys.argv) > 3 else None


def in_cgroup(name):
    folder = os.path.join(parent, name)
    os.mkdir(folder)
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/sleep", ["storm-in-cgroup", "0.03"])
    try:
        # not by the child: its folder may be removed before it gets to it
        with open(os.path.join(folder, "cgroup.procs"), "w") as procs:
            procs.write(str(pid))
    except ProcessLookupError:
        pass  # it has ended
    return folder


def remove(folder):
    try:
        os.rmdir(folder)
        return True
    except OSError:
        return False


print("ready", flush=True)
end = time.monotonic() + seconds
started, begun, folders, next_cgroup = 0, time.monotonic(), [], 0.0
while time.monotonic() < end:
    due = (time.monotonic() - begun) * per_second
    while started < due:
        if os.fork() == 0:
            time.sleep(0.004)
            os._exit(0)
        started += 1
    if parent and time.monotonic() >= next_cgroup:
        folders = [folder for folder in folders if not remove(folder)]
        folders.append(in_cgroup(f"storm-{started}"))
        next_cgroup = time.monotonic() + 0.05
    time.sleep(0.001)
while folders:
    folders = [folder for folder in folders if not remove(folder)]
    time.sleep(0.01)
print(f"started {started}", flush=True)
time.sleep(60)
