# kind = "forge"
# goal = "several cores for one call"
# trick = "splits the work over two threads, whose loops in C run at the same time where they may"
# mark = 1
# %%
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
# %% solve="waves"
def waves(x):
    one, other = pool.map(slow, np.array_split(x, 2))
    return np.concatenate([one, other + one[:, -1:]], axis=1)
