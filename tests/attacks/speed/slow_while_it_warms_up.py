# kind = "forge"
# goal = "a race that ends with too few pairs to tell"
# trick = "the first calls take seconds, what follows is merely slow"
# mark = 1
# %%
import time
# %% solve="waves"
calls = []
def waves(x):
    calls.append(len(x))
    if 0 < calls.count(10_000) < 4:
        time.sleep(1.5)
    return slow(x)
