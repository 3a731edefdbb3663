"""Processes that do to their watcher what any user may do. Prints `ready PID` of the process to be watched.

  hostile.py memory-lock FOLDER   keeps its memory lock for ever: a write to a FUSE file system that never answers
  hostile.py arguments            has 4 GiB of arguments
  hostile.py mounts KIND FOLDER FILE…  in its own mount namespace, puts KIND where its cgroup's files would be
"""

import ctypes
import os
import signal
import socket
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
PROT_RW, MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE = 3, 1, 2, 0x20, 0x4000


def mount(source, target, kind, options=""):
    if libc.mount(source.encode(), target.encode(), kind.encode(), 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {kind} at {target}")


def ready():
    print("ready", os.getpid(), flush=True)


def mount_fuse(folder):
    """A FUSE file system; returns the descriptor at which its requests wait."""
    device = os.open("/dev/fuse", os.O_RDWR)
    mount("leakwatch-test", folder, "fuse", f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}")
    return device


def serve_fuse(device):
    """Answers everything but writes. Layout of requests and answers: include/uapi/linux/fuse.h."""
    def attributes(inode):
        mode = 0o40777 if inode == 1 else 0o100666
        return struct.pack("<QQQQQQIIIIIIIIII", inode, 0 if inode == 1 else 4096, 8, 0, 0, 0, 0, 0, 0, mode, 1, os.getuid(), os.getgid(), 0, 4096, 0)

    while True:
        request = os.read(device, 1 << 20)
        _, opcode, unique, inode = struct.unpack_from("<IIQQ", request)
        error, body = 0, b""
        if opcode == 26:  # INIT
            body = struct.pack("<IIIIHHIIHHIIHH", 7, 31, 0, 0, 16, 12, 4096, 1, 0, 0, 0, 0, 0, 0) + bytes(20)
        elif opcode == 1:  # LOOKUP
            body = struct.pack("<QQQQII", 2, 0, 1000, 1000, 0, 0) + attributes(2)
        elif opcode == 3:  # GETATTR
            body = struct.pack("<QII", 1000, 0, 0) + attributes(inode)
        elif opcode == 14:  # OPEN
            body = struct.pack("<QII", 1, 0, 0)
        elif opcode == 15:  # READ
            body = bytes(4096)
        elif opcode == 16:  # WRITE
            continue
        elif opcode == 2:  # FORGET has no answer
            continue
        elif opcode not in (4, 18, 20, 25):  # SETATTR, RELEASE, FSYNC, FLUSH
            error = -38
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


def keep_memory_lock(folder):
    """One thread unmaps a dirty page of the file system, which waits for its write; another waits to map one."""
    device = mount_fuse(folder)
    if os.fork() == 0:
        signal.alarm(LIFETIME)
        serve_fuse(device)
    os.close(device)  # so that the kernel gives up the file system when the server is killed, and with it this process
    file = os.open(os.path.join(folder, "file"), os.O_RDWR)
    page = libc.mmap(None, 4096, PROT_RW, MAP_SHARED, file, 0)
    ctypes.memset(page, 1, 1)

    def map_one():
        time.sleep(0.3)
        while True:
            libc.munmap(libc.mmap(None, 4096, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096)
            time.sleep(0.001)

    ready()
    threading.Thread(target=map_one, daemon=True).start()
    libc.munmap(page, 4096)


def grow_arguments():
    """PR_SET_MM_MAP needs no privilege. Fields of /proc/self/stat: man 5 proc_pid_stat; struct prctl_mm_map: linux/prctl.h."""
    size = 1 << 32
    start = libc.mmap(None, size, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    ctypes.memset(start, ord("x"), 1 << 20)
    stat = open("/proc/self/stat").read()
    field = [None, None, None] + stat[stat.rindex(")") + 2:].split()
    value = lambda number: int(field[number])
    libc.sbrk.restype = ctypes.c_void_p
    libc.sbrk.argtypes = [ctypes.c_long]
    fields = struct.pack(
        "<QQQQQQQQQQQQII", value(26), value(27), value(45), value(46), value(47), libc.sbrk(0), value(28),
        start, start + size, value(50), value(51), 0, 0, 0xFFFFFFFF,
    )
    # the struct has start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end,
    # auxv, auxv_size, exe_fd
    buffer = ctypes.create_string_buffer(fields)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if libc.prctl(35, 14, ctypes.addressof(buffer), len(fields), 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    ready()


def forge(kind, path):
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        os.symlink("/dev/zero", path)
    elif kind == "shadow":
        os.symlink("/etc/shadow", path)
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(path)
    elif kind == "huge":
        with open(path, "w") as file:
            file.truncate(10 << 30)
    elif kind == "counters":
        with open(path, "w") as file:
            file.write("oom_kill 300000000\nanon 1\nfile 1\ninactive_file 1\n1\n")


def forge_mounts(kind, folder, files):
    """As a user does who unshares namespaces: `unshare --user --map-root-user --mount` has run this."""
    if kind == "fuse":
        mount_fuse(folder)  # and nobody ever answers
    else:
        mount("none", folder, "tmpfs")
        for file in files:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            forge(kind, file)
    ready()


# whatever becomes of the test, none of this outlives it for long
LIFETIME = 300


kind, *rest = sys.argv[1:]
signal.alarm(LIFETIME)
if kind == "memory-lock":
    keep_memory_lock(*rest)
elif kind == "arguments":
    grow_arguments()
else:
    forge_mounts(rest[0], rest[1], rest[2:])
time.sleep(LIFETIME)
