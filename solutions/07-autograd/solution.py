# The reference: the shortest clear program for each question.

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    missing = grad.ndim - len(shape)
    grad = grad.sum(axis=tuple(range(missing)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)

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
            unbroadcast(a.data.swapaxes(-1, -2) @ grad, b.data.shape),
        )

    return node(a.data @ b.data, (a, b), rule)

# %% solve="topological-order"
def topological_order(root):
    order, met = [], set()
    stack = [(root, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in met:
            met.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((parent, False) for parent in tensor.parents)
    return order

# %% solve="backward"
def backward(root, grad=None):
    if not root.requires_grad:
        raise ValueError("backward: root doesn't require a gradient")
    if grad is None:
        if root.data.size != 1:
            raise ValueError("backward: root has more than one element, so grad must be given")
        grad = np.ones(root.data.shape)
    flowing = {id(root): np.array(grad, dtype=np.float64)}
    for tensor in reversed(topological_order(root)):
        total = flowing.pop(id(tensor), None)
        if total is None:
            continue
        if not tensor.parents:
            tensor.grad = total if tensor.grad is None else tensor.grad + total
            continue
        for parent, share in zip(tensor.parents, tensor.rule(total)):
            if parent.requires_grad:
                known = flowing.get(id(parent))
                flowing[id(parent)] = share if known is None else known + share

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
        return (grad / a.data,)

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

# %% solve="no-grad"
from contextlib import contextmanager


@contextmanager
def no_grad():
    before = Tensor.recording
    Tensor.recording = False
    try:
        yield
    finally:
        Tensor.recording = before

# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    slopes = np.zeros(x.shape)
    for position in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[position] = eps
        slopes[position] = (f(Tensor(x + step)).data - f(Tensor(x - step)).data) / (2 * eps)
    return slopes


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    leaf = Tensor(x, requires_grad=True)
    result = f(leaf)
    if result.requires_grad:
        result.backward()
    taped = np.zeros(x.shape) if leaf.grad is None else leaf.grad
    measured = numerical_gradient(f, x, eps)
    scale = np.maximum(1.0, np.maximum(np.abs(taped), np.abs(measured)))
    return bool(np.max(np.abs(taped - measured) / scale) <= tol)

# %% solve="training"
def cross_entropy(logits, labels):
    right = np.eye(logits.data.shape[1])[labels]
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (shifted.exp().sum(axis=1).log() - (shifted * right).sum(axis=1)).mean()


def mlp(x, parameters):
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        x = (x @ weight + bias).relu()
    return x @ parameters[-2] + parameters[-1]


def train(parameters, x, labels, steps, learning_rate):
    losses = []
    for _ in range(steps):
        for parameter in parameters:
            parameter.grad = None
        loss = cross_entropy(mlp(Tensor(x), parameters), labels)
        loss.backward()
        for parameter in parameters:
            parameter.data = parameter.data - learning_rate * parameter.grad
        losses.append(float(loss.data))
    return losses
