# kind = "harm"
# goal = "the grader's time"
# trick = "loops for ever and ignores every signal that can be ignored"
# mark = 3
# verdict = "TIMEOUT"
# %% solve="double"
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
def double(x):
    while True:
        pass
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
