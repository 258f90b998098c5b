# way = "explicit loops over axes, a list of gradients beside the list of tensors, buffers that backward owns and adds to in place"

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    grad = np.asarray(grad)
    while grad.ndim > len(shape):
        grad = sum(grad[i] for i in range(grad.shape[0]))
        grad = np.asarray(grad)
    for axis in range(len(shape)):
        if shape[axis] == 1 and grad.shape[axis] > 1:
            grad = np.expand_dims(np.sum(grad, axis), axis)
    return grad

# %% solve="arithmetic"
def add(a, b):
    return node(a.data + b.data, [a, b], lambda grad: [unbroadcast(grad, t.data.shape) for t in (a, b)])


def mul(a, b):
    x, y = a.data, b.data
    return node(x * y, [a, b], lambda grad: [unbroadcast(y * grad, x.shape), unbroadcast(x * grad, y.shape)])


def matmul(a, b):
    x, y = a.data, b.data

    def rule(grad):
        from_x = np.einsum("...nm,...km->...nk", grad, y)
        from_y = np.einsum("...nk,...nm->...km", x, grad)
        return [unbroadcast(from_x, x.shape), unbroadcast(from_y, y.shape)]

    return node(np.einsum("...nk,...km->...nm", x, y), [a, b], rule)

# %% solve="topological-order"
def topological_order(root):
    order = []
    met = {root}
    path = [(root, iter(root.parents))]
    while path:
        tensor, remaining = path[-1]
        for parent in remaining:
            if parent not in met:
                met.add(parent)
                path.append((parent, iter(parent.parents)))
                break
        else:
            order.append(tensor)
            path.pop()
    return order

# %% solve="backward"
def backward(root, grad=None):
    if root.requires_grad is False:
        raise ValueError("nothing to differentiate")
    if grad is None and root.data.size > 1:
        raise ValueError("give the gradient of the root")
    tape = topological_order(root)
    place = {id(tensor): i for i, tensor in enumerate(tape)}
    buffers = [np.zeros(tensor.data.shape) for tensor in tape]
    buffers[-1] += 1.0 if grad is None else grad
    touched = [False] * len(tape)
    touched[-1] = True
    for i in range(len(tape) - 1, -1, -1):
        tensor = tape[i]
        if tensor.rule is not None and touched[i]:
            shares = tensor.rule(buffers[i])
            for parent, share in zip(tensor.parents, shares):
                if parent.requires_grad:
                    buffers[place[id(parent)]] += share
                    touched[place[id(parent)]] = True
    for i, tensor in enumerate(tape):
        if tensor.requires_grad and not tensor.parents and touched[i]:
            if tensor.grad is None:
                tensor.grad = np.zeros(tensor.data.shape)
            tensor.grad += buffers[i]

# %% solve="functions"
def pointwise(value, slope):
    def operation(a):
        return node(value(a.data), (a,), lambda grad: (slope(a.data) * grad,))

    return operation


relu = pointwise(lambda x: (x + abs(x)) / 2, lambda x: (np.sign(x) + 1) // 2 * (x != 0))
exp = pointwise(np.exp, np.exp)
log = pointwise(np.log, np.reciprocal)


def positive_axes(axis, ndim):
    if axis is None:
        return sorted(range(ndim))
    if isinstance(axis, int):
        axis = (axis,)
    return sorted(i % ndim for i in axis)


def put_back(array, axes):
    for axis in axes:
        array = np.expand_dims(array, axis)
    return array


def reduce_sum(a, axis=None, keepdims=False):
    axes = positive_axes(axis, a.data.ndim)
    result = a.data
    for i in reversed(axes):
        result = np.sum(result, axis=i, keepdims=keepdims)

    def rule(grad):
        grad = np.array(grad) if keepdims else put_back(np.array(grad), axes)
        for i in axes:
            grad = np.repeat(grad, a.data.shape[i], axis=i)
        return (grad,)

    return node(result, (a,), rule)


def reduce_mean(a, axis=None, keepdims=False):
    n = 1
    for i in positive_axes(axis, a.data.ndim):
        n *= a.data.shape[i]
    return reduce_sum(a, axis, keepdims) / n


def reduce_max(a, axis=None, keepdims=False):
    axes = positive_axes(axis, a.data.ndim)
    kept = a.data
    for i in axes:
        kept = np.max(kept, axis=i, keepdims=True)
    count = np.array(a.data == kept, dtype=float)
    for i in axes:
        count = np.sum(count, axis=i, keepdims=True)
    result = kept if keepdims else kept.reshape([n for i, n in enumerate(a.data.shape) if i not in axes])

    def rule(grad):
        share = np.zeros(a.data.shape)
        full = np.broadcast_to(np.reshape(grad, kept.shape) / count, a.data.shape)
        winners = a.data == kept
        share[winners] = full[winners]
        return (share,)

    return node(result, (a,), rule)

# %% solve="no-grad"
class no_grad:
    stack = []

    def __enter__(self):
        no_grad.stack.append(Tensor.recording)
        Tensor.recording = False

    def __exit__(self, *exception):
        Tensor.recording = no_grad.stack.pop()

# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    result = np.empty_like(x)
    it = np.nditer(x, flags=["multi_index"])
    for element in it:
        i = it.multi_index
        old = float(element)
        x[i] = old + eps
        above = float(f(Tensor(x.copy())).data)
        x[i] = old - eps
        below = float(f(Tensor(x.copy())).data)
        x[i] = old
        result[i] = (above - below) / (2 * eps)
    return result


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    t = Tensor(x.copy(), requires_grad=True)
    y = f(t)
    if y.requires_grad:
        backward(y)
    if t.grad is None:
        t.grad = np.zeros(x.shape)
    pairs = zip(np.ravel(t.grad), np.ravel(numerical_gradient(f, x, eps)))
    for a, n in pairs:
        if not abs(a - n) <= tol * max(1, abs(a), abs(n)):
            return False
    return True

# %% solve="training"
def cross_entropy(logits, labels):
    n, c = logits.data.shape
    shifted = logits.data - logits.data.max(axis=1)[:, None]
    probabilities = np.exp(shifted)
    sums = probabilities.sum(axis=1)
    probabilities /= sums[:, None]
    loss = 0.0
    for i in range(n):
        loss += np.log(sums[i]) - shifted[i, labels[i]]

    def rule(grad):
        out = probabilities.copy()
        for i in range(n):
            out[i, labels[i]] -= 1.0
        return (out * (grad / n),)

    return node(loss / n, (logits,), rule)


def mlp(x, parameters):
    layers = len(parameters) // 2
    for k in range(layers):
        x = add(matmul(x, parameters[2 * k]), parameters[2 * k + 1])
        if k < layers - 1:
            x = relu(x)
    return x


def train(parameters, x, labels, steps, learning_rate):
    losses = np.zeros(steps)
    for step in range(steps):
        for p in parameters:
            p.grad = np.zeros_like(p.data)
        loss = cross_entropy(mlp(Tensor(x), parameters), labels)
        losses[step] = loss.data
        loss.backward()
        for p in parameters:
            p.data -= learning_rate * p.grad
    return list(losses)
