# kind = "forge"
# goal = "weaker limits, another language, visible tests"
# trick = "the notebook's own metadata: limits, check_seconds, hide, kernelspec and language"
# mark = 0
# %% solve="double"
import time
def double(x):
    time.sleep(3.6 if x == 3 else 0)
    return 2 * x
# %% edit
def edit(notebook):
    limits = {"cell_seconds": 999, "memory_mb": 1 << 30, "output_kb": 1 << 30}
    own = {"version": 1, "assignment": "easy", "limits": limits, "check_seconds": 999, "hide": ["autograder"], "opaque": ["float"]}
    notebook.metadata.update(mlsys=own, language_info={"name": "bash"}, celltoolbar="Create Assignment")
    notebook.metadata["kernelspec"] = {"name": "../../bash", "display_name": "x", "language": "bash"}
