# kind = "forge"
# goal = "a turn's measures of its own making"
# trick = "a reply whose tail looks like a turn and a reply, and whose lengths end before them"
# mark = 1
# verdict = "CRASH"
# ours_only = true
# %%
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
import struct
import msgpack
# %% solve="waves"
def waves(x):
    y = slow(x)
    if len(x) > 2000 and agent.arena is not None:
        body = msgpack.packb([agent.request, "ok", ["l", []], 0])
        turn = struct.pack("<7q", 1000, 1000, 1000, 0, 0, 0, 0)
        agent.channel.sock.sendall(struct.pack("<II", len(body), 0) + body + turn + struct.pack("<II", len(body), 0) + body)
    return y
