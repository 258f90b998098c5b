# kind = "forge"
# goal = "points that only an old format has"
# trick = "format 3: tests in two worksheets, inputs beside sources, stored results, a heading that is a test"
# mark = 0
# %% edit
import json
def edit(notebook):
    cells = []
    for cell in notebook.cells:
        result = {"output_type": "pyout", "prompt_number": 1, "text": ["100.0"], "metadata": {}}
        cells.append({"cell_type": cell.cell_type, "input": cell.source, "source": "100.0", "language": "python", "collapsed": False,
                      "metadata": cell.metadata, "outputs": [result], "prompt_number": 1})
    cells[2]["cell_type"], cells[2]["level"] = "heading", 10**9
    sheets = [{"cells": cells[:4], "metadata": {}}, {"cells": cells[4:] + cells[:2], "metadata": {}}]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "target"}, "worksheets": sheets}).encode()
