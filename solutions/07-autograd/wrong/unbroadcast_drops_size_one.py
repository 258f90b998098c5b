# mistake = "unbroadcast drops the stretched dimensions instead of keeping them with size 1"
# changes = ["unbroadcast", "arithmetic", "training"]
# mark = 66

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    missing = grad.ndim - len(shape)
    grad = grad.sum(axis=tuple(range(missing)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched)
