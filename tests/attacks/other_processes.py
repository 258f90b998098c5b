# kind = "escape"
# goal = "the memory of whoever started it"
# trick = "ptrace, process_vm_readv, /proc/PID/mem, descriptors and signals, for every number that a process may have"
# mark = 0
# %%
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = []
own = os.getpid()
for pid in (0, 1, 2, os.getppid(), own, own + 1):
    for request in (0, 16, 0x4206):  # TRACEME, ATTACH, SEIZE
        if libc.ptrace(request, pid, 0, 0) == 0:
            found.append(("ptrace", request, pid))
    buffer = ctypes.create_string_buffer(8)
    iov = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    for call in (310, 311):
        if libc.syscall(call, pid, iov, 1, iov, 1, 0) >= 0:
            found.append((call, pid))
for pid in range(1, 33_000):
    try:
        os.kill(pid, 0)
    except PermissionError:
        continue
    except OSError:
        continue
    if pid not in (1, own):
        found.append(("kill", pid))
print("FOUND:", found)
