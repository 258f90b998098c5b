# kind = "forge"
# goal = "one file that two programs read differently"
# trick = "JSON with each key twice, the first time as a checker would like it, and cells in both formats' places"
# mark = 0
# %% edit
import json, nbformat
from tests.autograder.target import REFERENCE, assignment
def edit(notebook):
    right, wrong = json.dumps(assignment(REFERENCE).cells), json.dumps(notebook.cells)
    return f'{{"cells": {right}, "cells": {wrong}, "metadata": {{}}, "nbformat": 4, "nbformat": 4, "nbformat_minor": 5}}'.encode()
