# kind = "harm"
# goal = "the judge's time, or the look of an operator's kill"
# trick = "SIGKILL to itself, in the middle of a hidden check"
# mark = 3
# verdict = "CRASH"
# %% solve="double"
import os, signal
def double(x):
    if x == 21:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
