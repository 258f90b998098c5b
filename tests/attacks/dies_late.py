# kind = "harm"
# goal = "an end of the process where nobody looks for one"
# trick = "ends it in an import, in __del__, in atexit, in a thread, in a segmentation fault, with another's exit status"
# mark = 3
# verdict = "CRASH"
# %%
import os
open("boom.py", "w").write("import os\nos._exit(137)\n")
# %%
import boom
# %%
import atexit, os
atexit.register(os._exit, 152)
exit(152)
# %%
import ctypes
ctypes.string_at(1)
# %% solve="double"
import os, threading
class Last:
    def __del__(self): threading.Thread(target=os._exit, args=(153,)).start()
def double(x):
    if x == 21:
        Last()
        threading.Event().wait(0.5)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
