# kind = "escape"
# goal = "the host's kernel"
# trick = "writes in /proc and /sys: core_pattern, sysrq, modprobe, control groups' release_agent, any setting"
# mark = 0
# %%
import os
found = [path for path in ("/sys", "/sys/fs/cgroup", "/sys/kernel", "/proc/1/root/sys") if os.path.isdir(path)]
named = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches",
         "/proc/sys/kernel/hostname", "/proc/sys/fs/binfmt_misc/register", "/proc/self/uid_map", "/proc/self/gid_map",
         "/proc/self/projid_map", "/proc/1/uid_map", "/proc/1/oom_score_adj", "/proc/self/loginuid", "/proc/kcore", "/proc/kmsg"]
for folder, inner, names in os.walk("/proc"):
    inner[:] = [name for name in inner if name not in ("task", "fd", "fdinfo", "map_files") and not name.isdecimal() and "self" not in name]
    named += [os.path.join(folder, name) for name in names]
# These are of the box's own IPC namespace, and the calls that they limit are refused.
own = ("/proc/sys/kernel/msg", "/proc/sys/kernel/shm", "/proc/sys/kernel/sem", "/proc/sys/kernel/auto_msgmni", "/proc/sys/fs/mqueue/")
for path in [each for each in named if not each.startswith(own)]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        continue
    try:
        # What may be opened by anybody still asks at the write.
        os.write(descriptor, b"0 0 1\n")
        found.append(path)
    except OSError:
        pass
print("FOUND:", found)
