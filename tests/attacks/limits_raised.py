# kind = "escape"
# goal = "more than its share"
# trick = "raises its limits and those of others, its priority, its place in the out-of-memory killer's list"
# mark = 0
# %%
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
found = []
def tried(name, act, *arguments):
    try:
        act(*arguments)
        found.append(name)
    except (OSError, ValueError):
        pass
for which in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_RTPRIO):
    soft, hard = resource.getrlimit(which)
    tried(("own limit", which), resource.setrlimit, which, (hard + 1, hard + 1))
    tried(("no limit", which), resource.setrlimit, which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    tried(("its own, through prlimit", which), resource.prlimit, os.getpid(), which, (hard + 1, hard + 1))
    tried(("pid 1's", which), resource.prlimit, 1, which, (hard + 1, hard + 1))
tried("nice", os.setpriority, os.PRIO_PROCESS, 0, -20)
tried("pid 1's nice", os.setpriority, os.PRIO_PROCESS, 1, -20)
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    tried(("scheduler", policy), os.sched_setscheduler, 0, policy, os.sched_param(1))
    tried(("pid 1's scheduler", policy), os.sched_setscheduler, 1, policy, os.sched_param(1))
if libc.syscall(314, 0, (ctypes.c_uint32 * 14)(56, 6, 0, 0, 0, 0, 1000000, 0, 2000000, 0, 2000000, 0), 0) == 0:
    found.append("SCHED_DEADLINE")
if libc.syscall(251, 1, 0, 1 << 13) == 0:
    found.append("ioprio of real time")
for pid in ("self", "1"):
    for lower in (-1000, -1):
        tried(("oom score", pid, lower), lambda: os.write(os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY), b"%d" % lower))
print("FOUND:", found)
