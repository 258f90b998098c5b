# kind = "read"
# goal = "the reference's answers, or its code"
# trick = "looks for the reference's process, its memory and its line wherever a box can look"
# mark = 1
# %%
import glob, os, socket
def found():
    for pid in glob.glob("/proc/[0-9]*"):
        try:
            if int(pid[6:]) not in (1, os.getpid(), os.getppid()):
                yield open(pid + "/mem", "rb")
        except OSError:
            pass
    for path in glob.glob("/dev/shm/*") + glob.glob("/proc/self/fd/*") + glob.glob("/proc/self/map_files/*"):
        try:
            if "mlsys-arena" in os.readlink(path) and path.startswith("/dev"):
                yield open(path, "rb")
        except OSError:
            pass
    for line in open("/proc/net/unix"):
        if "@" in line:
            yield line
print("FOUND:", list(found()))
# %% solve="waves"
def waves(x): return slow(x)
