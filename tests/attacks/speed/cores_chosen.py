# kind = "harm"
# goal = "a core of its own, and another's"
# trick = "leaves the core that it was put on by every call that can"
# mark = 1
# %%
import ctypes, os
libc = ctypes.CDLL(None)
everywhere = (ctypes.c_ulong * 16)(*[2 ** 64 - 1] * 16)
# %% solve="waves"
def waves(x):
    for pid in (0, os.getpid(), os.getppid(), 1):
        libc.syscall(203, pid, 128, everywhere)
        try:
            os.sched_setaffinity(pid, range(os.cpu_count()))
        except OSError:
            pass
    return slow(x)
