# kind = "harm"
# goal = "the driver, with what is no cell"
# trick = "cells and metadata of every wrong type, lone surrogates, ids and sources of a megabyte, attachments with names of scripts"
# mark = 7
# stumbles = true
# leak = "<img src=\"x"
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
import json
def edit(notebook):
    wrong = [None, 7, "x", [], {}, {"cell_type": []}, {"cell_type": "code", "source": {}}, {"cell_type": "code", "source": [1]},
             {"cell_type": "code", "source": "\ud800\x00", "metadata": 3, "id": "x" * 1_000_000, "outputs": {"a": 1}},
             {"cell_type": "code", "source": "#", "metadata": {"nbgrader": {"grade_id": "<img src=\"x\">", "points": [1]}}},
             {"cell_type": "code", "source": "#", "metadata": {"nbgrader": {"grade_id": ["double"], "schema_version": 99}}},
             {"cell_type": "markdown", "source": "#" * 1_000_000, "attachments": {"<img src=\"x\">": {"text/html": "<img src=\"x\">"}, "b": 3}},
             {"cell_type": "heading", "level": 10**6, "source": "h"}, {"cell_type": "raw", "source": ["a"] * 10_000}]
    return json.dumps({**notebook, "cells": wrong + notebook.cells, "metadata": 7, "worksheets": [{"cells": wrong}]}).encode()
