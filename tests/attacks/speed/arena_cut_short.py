# kind = "forge"
# goal = "a judge that fails, or waits"
# trick = "cuts, grows, seals and unmaps the shared memory"
# mark = 1
# ours_only = true
# %%
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
import fcntl, os, sys
# %% solve="waves"
def waves(x):
    if len(x) > 2000 and agent.arena is not None:
        fd = int(sys.argv[2])
        for change in (lambda: os.ftruncate(fd, 0), lambda: os.ftruncate(fd, 1 << 40),
                       lambda: fcntl.fcntl(fd, 1033, 8), lambda: fcntl.fcntl(fd, 1033, 16),
                       lambda: os.posix_fallocate(fd, 0, 1 << 40)):
            try:
                change()
            except OSError:
                pass
    return slow(x)
