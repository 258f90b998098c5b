# kind = "harm"
# goal = "the judge's memory and patience"
# trick = "errors with words of 200 MB, a name of a megabyte, five hundred ancestors, and causes that go in circles"
# mark = 3
# verdict = "ERROR"
# %% solve="double"
class Long(Exception):
    def __str__(self): return "x" * 50_000_000
for n in range(500):
    Long = type("N" * 2000 + str(n), (Long,), {})
def double(x):
    error = Long()
    error.__cause__ = error.__context__ = error
    raise error
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
