# mistake = "unbroadcast sums the dimensions put in front, but not those stretched from size 1"
# changes = ["unbroadcast", "arithmetic", "training"]
# mark = 76

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    missing = grad.ndim - len(shape)
    return grad.sum(axis=tuple(range(missing)))
