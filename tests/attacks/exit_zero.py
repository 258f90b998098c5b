# kind = "forge"
# goal = "keep an earlier grade, or stop the grader"
# trick = "ends the kernel's process with status 0 in the first cell and in each question"
# mark = 0
# verdict = "CRASH"
# %%
import os
os._exit(0)
# %% solve="double"
os = __import__("os")
os._exit(0)
# %% solve="norm"
__import__("os")._exit(0)
