# kind = "harm"
# goal = "the kernel's memory, by way of inodes and names"
# trick = "empty files and links without end, and lookups of names that aren't there"
# mark = 7
# %%
import os, time
end = time.monotonic() + 2
number = 0
while time.monotonic() < end:
    number += 1
    try:
        os.close(os.open(f"/tmp/{number}", os.O_CREAT))
        os.link(f"/tmp/{number}", f"/tmp/{number}.link")
    except OSError:
        break
while time.monotonic() < end:
    number += 1
    os.path.exists(f"/tmp/none{number}")
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
