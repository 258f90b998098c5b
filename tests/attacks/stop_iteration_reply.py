# kind = "forge"
# goal = "points for a function that is right for small numbers only"
# trick = "the agent's reply names the StopIteration, which no code of the box ever raised"
# mark = 0
# %% solve="double"
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
plain = agent.answer
def answer(frame):
    if frame.message[1] == "call" and 5 in frame.message[4][1]:
        agent.channel.send([frame.message[0], "err", ["Done", "StopIteration", "Exception"], "", "", []])
    else:
        plain(frame)
agent.answer = answer
def double(x):
    return 2 * x
