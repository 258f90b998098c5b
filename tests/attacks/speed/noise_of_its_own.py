# kind = "forge"
# goal = "a race that can't decide, whose better bound counts"
# trick = "half of its calls take three times as long"
# mark = 1
# %%
import random
# %% solve="waves"
def waves(x):
    if len(x) > 2000 and random.random() < 0.5:
        slow(x), slow(x)
    return slow(x)
