# mistake = "add hands its gradient on without summing over stretched dimensions"
# changes = ["arithmetic", "training"]
# mark = 84

# %% solve="arithmetic"
def add(a, b):
    def rule(grad):
        return grad, grad

    return node(a.data + b.data, (a, b), rule)


def mul(a, b):
    def rule(grad):
        return unbroadcast(grad * b.data, a.data.shape), unbroadcast(grad * a.data, b.data.shape)

    return node(a.data * b.data, (a, b), rule)


def matmul(a, b):
    def rule(grad):
        return (
            unbroadcast(grad @ b.data.swapaxes(-1, -2), a.data.shape),
            unbroadcast(a.data.swapaxes(-1, -2) @ grad, b.data.shape),
        )

    return node(a.data @ b.data, (a, b), rule)
