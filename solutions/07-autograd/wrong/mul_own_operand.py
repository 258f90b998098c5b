# mistake = "mul multiplies the gradient by the operand itself instead of the other one"
# changes = ["arithmetic", "training"]
# mark = 79

# %% solve="arithmetic"
def add(a, b):
    def rule(grad):
        return unbroadcast(grad, a.data.shape), unbroadcast(grad, b.data.shape)

    return node(a.data + b.data, (a, b), rule)


def mul(a, b):
    def rule(grad):
        return unbroadcast(grad * a.data, a.data.shape), unbroadcast(grad * b.data, b.data.shape)

    return node(a.data * b.data, (a, b), rule)


def matmul(a, b):
    def rule(grad):
        return (
            unbroadcast(grad @ b.data.swapaxes(-1, -2), a.data.shape),
            unbroadcast(a.data.swapaxes(-1, -2) @ grad, b.data.shape),
        )

    return node(a.data @ b.data, (a, b), rule)
