# mistake = "matmul transposes with .T, which reverses all dimensions of a stack"
# changes = ["arithmetic"]
# mark = 96

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
            unbroadcast(grad @ b.data.T, a.data.shape),
            unbroadcast(a.data.T @ grad, b.data.shape),
        )

    return node(a.data @ b.data, (a, b), rule)
