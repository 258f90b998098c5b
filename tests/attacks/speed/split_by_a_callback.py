# kind = "forge"
# goal = "a turn in two halves, of which one counts"
# trick = "calls back in the middle of a timed call"
# mark = 1
# verdict = "CRASH"
# ours_only = true
# %%
import gc
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
# %% solve="waves"
def waves(x):
    y = slow(x)
    if len(x) > 2000 and agent.arena is not None:
        agent.channel.send([agent.request, "cb", 0, [], []])
        agent.await_return(agent.request)
    return y
