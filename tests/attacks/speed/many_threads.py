# kind = "forge"
# goal = "several cores for one call"
# trick = "splits the work over eight threads, whose loops in C run at the same time where they may"
# mark = 1
# %%
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(8)
# %% solve="waves"
def part(x):
    for _ in range(4):
        k = np.arange(1, 9)[:, None]
        y = np.array([np.sin(k * x).sum(axis=0), np.cos(k * x).sum(axis=0)])
    return y
def waves(x):
    return np.cumsum(np.concatenate(list(pool.map(part, np.array_split(x, 8))), axis=1), axis=1)
