# kind = "harm"
# goal = "the grader's memory, and whoever opens the feedback"
# trick = "thousands of small outputs of every kind, cleared and shown again, one line of 100 MB, and a bar that is printed over"
# mark = 7
# %%
import sys
from IPython.display import clear_output, display
for _ in range(3):
    for n in range(1000):
        display({"text/plain": "", "text/html": "", f"image/x{n}": ""}, raw=True)
        print("", end="", file=(sys.stdout, sys.stderr)[n % 2])
        print(".", end="\r", file=(sys.stdout, sys.stderr)[n % 2])
    clear_output()
print("x" * 100_000_000)
display({f"text/x{n}": "" for n in range(20_000)}, raw=True)
class Shown:
    def _repr_mimebundle_(self, **_): return {"image/png": "iVBORw0KGgo" * 100_000, "text/plain": "\r" * 100_000}
Shown()
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
