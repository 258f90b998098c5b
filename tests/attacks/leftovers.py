# kind = "read"
# goal = "what the boxes before this one left"
# trick = "temporary folders, System V and POSIX shared memory, message queues, semaphores, keyrings, core files, unix sockets"
# mark = 0
# %%
import ctypes, glob, os
libc = ctypes.CDLL(None, use_errno=True)
found = [path for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/var/crash", "/cores") for path in glob.glob(f"{folder}/*")]
found = [path for path in found if path not in ("/tmp/home", "/tmp/.ipython")]
for table in ("shm", "msg", "sem"):
    try:
        found += open(f"/proc/sysvipc/{table}").read().splitlines()[1:]
    except OSError:
        pass
for number in range(64):
    for call in (29, 68, 64):  # shmget, msgget, semget of keys that exist
        if libc.syscall(call, 0x1000 + number, 1, 0) >= 0:
            found.append((call, number))
for ring in range(-1, -9, -1):  # keyctl: describe
    if libc.syscall(250, 6, ring, ctypes.create_string_buffer(200), 200) > 0:
        found.append(ring)
for table in ("unix", "tcp", "udp", "netlink"):
    try:
        lines = open(f"/proc/net/{table}").read().splitlines()[1:]
        found += [line for line in lines if table != "netlink" and ("@" in line or "/" in line)]
    except OSError:
        pass
for name in ("/proc/keys", "/proc/key-users", "/proc/kcore", "/proc/kallsyms", "/proc/vmallocinfo", "/proc/iomem", "/dev/kmsg"):
    try:
        text = open(name, "rb").read(4096)
        found += [name] if any(part.strip(b"0-: \n") for part in text.split()[:1]) and name != "/proc/kallsyms" else []
    except OSError:
        pass
print("FOUND:", found)
