# kind = "forge"
# goal = "a second measurement, and a third"
# trick = "kills itself with a signal that may come from outside whenever its own clock reads too much"
# mark = 1
# verdict = "CRASH"
# %%
import os, signal, time
# %% solve="waves"
def waves(x):
    began = time.perf_counter()
    y = slow(x)
    if len(x) > 2000 and time.perf_counter() - began > 0.004:
        os.kill(os.getpid(), signal.SIGKILL)
    return y
