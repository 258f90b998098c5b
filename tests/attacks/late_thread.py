# kind = "forge"
# goal = "points for nothing"
# trick = "the call never returns; a thread writes its reply, with what it has found out meanwhile"
# mark = 0
# verdict = "CRASH"
# %% solve="double"
import gc, threading, time
gc.unfreeze()
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
def double(x):
    if x == 3:
        mine = agent.request
        def later():
            for number in range(mine, mine + 3):
                agent.channel.send([number, "ok", 2 * x, []])
        thread = threading.Thread(target=later)
        thread.start()
        thread.join()
    return 2 * x
