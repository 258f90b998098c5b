# kind = "forge"
# goal = "no measurement instead of a bad one"
# trick = "ends its process in the middle of the race"
# mark = 1
# verdict = "CRASH"
# %%
import os
# %% solve="waves"
calls = []
def waves(x):
    calls.append(len(x))
    if calls.count(10_000) > 9:
        os._exit(0)
    return slow(x)
