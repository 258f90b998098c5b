# kind = "forge"
# goal = "a check that ends before it is through"
# trick = "raises what ends programs: SystemExit(0), KeyboardInterrupt, GeneratorExit"
# mark = 0
# verdict = "ERROR"
# %% solve="double"
def double(x):
    raise SystemExit(0)
# %% solve="norm"
def norm(v):
    raise KeyboardInterrupt
# %% solve="layer"
class Layer:
    def __init__(self, weights):
        raise GeneratorExit
