# mistake = "matmul's second gradient is grad transposed times a, its factors swapped"
# changes = ["arithmetic", "training"]
# mark = 83

# %% solve="arithmetic"
def add(a, b):
    def rule(grad):
        return unbroadcast(grad, a.data.shape), unbroadcast(grad, b.data.shape)

    return node(a.data + b.data, (a, b), rule)


def mul(a, b):
    def rule(grad):
        return unbroadcast(grad * b.data, a.data.shape), unbroadcast(grad * a.data, b.data.shape)

    return node(a.data * b.data, (a, b), rule)


def matmul(a, b):
    def rule(grad):
        return (
            unbroadcast(grad @ b.data.swapaxes(-1, -2), a.data.shape),
            unbroadcast(grad.swapaxes(-1, -2) @ a.data, b.data.shape),
        )

    return node(a.data @ b.data, (a, b), rule)
