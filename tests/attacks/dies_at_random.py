# kind = "harm"
# goal = "the judge's time: kills that look as if they came from outside begin a pass again"
# trick = "SIGKILL to itself, at a step that is another one each time"
# mark = 0
# stumbles = true
# %%
import os, signal
def perhaps():
    if os.urandom(1)[0] < 90:
        os.kill(os.getpid(), signal.SIGKILL)
perhaps()
# %% solve="double"
perhaps()
def double(x): return perhaps()
# %% solve="norm"
def norm(v): return perhaps()
