# kind = "harm"
# goal = "a reference that takes longer"
# trick = "threads that compute for ever, also between its turns"
# mark = 1
# %%
import threading
def burn():
    x = np.random.rand(1 << 16)
    while True:
        np.sin(x)
# %% solve="waves"
started = []
def waves(x):
    if len(x) > 2000 and not started:
        for _ in range(8):
            started.append(threading.Thread(target=burn, daemon=True))
            started[-1].start()
    return fast(x)
