# mistake = "log's gradient has the wrong sign"
# changes = ["functions", "training"]
# mark = 82

# %% solve="functions"
def relu(a):
    def rule(grad):
        return (grad * (a.data > 0),)

    return node(np.maximum(a.data, 0.0), (a,), rule)


def exp(a):
    z = np.exp(a.data)

    def rule(grad):
        return (grad * z,)

    return node(z, (a,), rule)


def log(a):
    def rule(grad):
        return (-grad / a.data,)

    return node(np.log(a.data), (a,), rule)


def stretch(reduced, shape, axis, keepdims):
    """An array of a reduction's result shape, repeated to the shape of the reduction's input."""
    if axis is not None and not keepdims:
        reduced = np.expand_dims(reduced, axis)
    return np.broadcast_to(reduced, shape)


def reduce_sum(a, axis=None, keepdims=False):
    def rule(grad):
        return (stretch(grad, a.data.shape, axis, keepdims),)

    return node(a.data.sum(axis=axis, keepdims=keepdims), (a,), rule)


def reduce_mean(a, axis=None, keepdims=False):
    z = a.data.mean(axis=axis, keepdims=keepdims)

    def rule(grad):
        return (stretch(grad * (z.size / a.data.size), a.data.shape, axis, keepdims),)

    return node(z, (a,), rule)


def reduce_max(a, axis=None, keepdims=False):
    z = a.data.max(axis=axis, keepdims=keepdims)

    def rule(grad):
        winners = a.data == stretch(z, a.data.shape, axis, keepdims)
        ties = winners.sum(axis=axis, keepdims=keepdims)
        return (winners * stretch(grad / ties, a.data.shape, axis, keepdims),)

    return node(z, (a,), rule)
