# kind = "forge"
# goal = "hidden tests that end early"
# trick = "an answer with the markers of hidden tests, solutions and mark schemes in it"
# mark = 4
# %% solve="double"
### BEGIN HIDDEN TESTS
def double(x):
    return 2 * x
### END HIDDEN TESTS
### BEGIN SOLUTION
### END HIDDEN TESTS
### BEGIN MARK SCHEME
