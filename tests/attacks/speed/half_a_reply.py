# kind = "forge"
# goal = "a turn that never ends, or ends early"
# trick = "the lengths of a reply, and nothing after them until its next turn"
# mark = 1
# ours_only = true
# %%
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
import struct, time
# %% solve="waves"
def waves(x):
    if len(x) > 2000 and agent.arena is not None:
        agent.channel.sock.sendall(struct.pack("<I", 100))
        time.sleep(60)
    return slow(x)
