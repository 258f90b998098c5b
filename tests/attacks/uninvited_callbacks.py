# kind = "forge"
# goal = "points for nothing"
# trick = "calls functions of the check that it never got, by number"
# mark = 0
# verdict = "CRASH"
# %% solve="double"
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
def answer(frame):
    for number in (0, 1, True, -1, 1 << 40):
        agent.channel.send([frame.message[0], "cb", number, [], []])
    agent.channel.send([frame.message[0], "ok", True, []])
def double(x):
    if x == 3:
        agent.answer = answer
    return 2 * x
