# way = "each operation is a class with forward and backward; Kahn's algorithm; a class as context manager"

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    padded = (1,) * (np.ndim(grad) - len(shape)) + tuple(shape)
    axes = tuple(i for i, (size, full) in enumerate(zip(padded, np.shape(grad))) if size != full)
    return np.add.reduce(grad, axis=axes, keepdims=True).reshape(shape) if axes else np.reshape(grad, shape)

# %% solve="arithmetic"
class Operation:
    """One application of an operation: `rule` is its bound method `backward`."""

    def __init__(self, *operands):
        self.operands = operands
        self.arrays = [operand.data for operand in operands]

    @classmethod
    def apply(cls, *operands, **options):
        operation = cls(*operands)
        for name, value in options.items():
            setattr(operation, name, value)
        return node(operation.forward(*operation.arrays), operands, operation.backward)

    def needs(self, i):
        return self.operands[i].requires_grad


class Add(Operation):
    def forward(self, a, b):
        return np.add(a, b)

    def backward(self, grad):
        return tuple(unbroadcast(grad, array.shape) if self.needs(i) else None for i, array in enumerate(self.arrays))


class Mul(Operation):
    def forward(self, a, b):
        return np.multiply(a, b)

    def backward(self, grad):
        a, b = self.arrays
        return (
            unbroadcast(grad * b, a.shape) if self.needs(0) else None,
            unbroadcast(grad * a, b.shape) if self.needs(1) else None,
        )


class MatMul(Operation):
    def forward(self, a, b):
        return np.matmul(a, b)

    def backward(self, grad):
        a, b = self.arrays
        return (
            unbroadcast(np.matmul(grad, np.moveaxis(b, -1, -2)), a.shape) if self.needs(0) else None,
            unbroadcast(np.matmul(np.moveaxis(a, -1, -2), grad), b.shape) if self.needs(1) else None,
        )


add, mul, matmul = Add.apply, Mul.apply, MatMul.apply

# %% solve="topological-order"
from collections import Counter, deque


def topological_order(root):
    everything, fresh = {id(root): root}, [root]
    uses = Counter()
    while fresh:
        for parent in fresh.pop().parents:
            uses[id(parent)] += 1
            if id(parent) not in everything:
                everything[id(parent)] = parent
                fresh.append(parent)
    from_the_end, ready = [], deque([root])
    while ready:
        tensor = ready.popleft()
        from_the_end.append(tensor)
        for parent in tensor.parents:
            uses[id(parent)] -= 1
            if uses[id(parent)] == 0:
                ready.append(parent)
    return from_the_end[::-1]

# %% solve="functions"
class Relu(Operation):
    def forward(self, a):
        self.mask = a > 0
        return np.where(self.mask, a, 0.0)

    def backward(self, grad):
        return (np.where(self.mask, grad, 0.0),)


class Exp(Operation):
    def forward(self, a):
        self.result = np.exp(a)
        return self.result

    def backward(self, grad):
        return [self.result * grad]


class Log(Operation):
    def forward(self, a):
        return np.log(a)

    def backward(self, grad):
        return [grad * self.arrays[0] ** -1.0]


class Reduction(Operation):
    axis = None
    keepdims = False

    def kept_shape(self):
        shape = list(self.arrays[0].shape)
        axes = range(len(shape)) if self.axis is None else np.atleast_1d(self.axis)
        for axis in axes:
            shape[axis] = 1
        return shape

    def forward(self, a):
        self.kept = self.reduce(a)
        return self.kept if self.keepdims else self.kept.squeeze(self.axis if self.axis is not None else tuple(range(a.ndim)))

    def backward(self, grad):
        return (self.weights(self.arrays[0]) * np.reshape(grad, self.kept_shape()),)


class Sum(Reduction):
    def reduce(self, a):
        return np.sum(a, axis=self.axis, keepdims=True)

    def weights(self, a):
        return np.ones_like(a)


class Mean(Reduction):
    def reduce(self, a):
        return np.mean(a, axis=self.axis, keepdims=True)

    def weights(self, a):
        return np.full_like(a, 1.0 / (a.size // np.prod(self.kept_shape(), dtype=int)))


class Max(Reduction):
    def reduce(self, a):
        return np.max(a, axis=self.axis, keepdims=True)

    def weights(self, a):
        winners = np.equal(a, self.kept).astype(float)
        return winners / winners.sum(axis=self.axis, keepdims=True)


relu, exp, log = Relu.apply, Exp.apply, Log.apply


def reduce_sum(a, axis=None, keepdims=False):
    return Sum.apply(a, axis=axis, keepdims=keepdims)


def reduce_mean(a, axis=None, keepdims=False):
    return Mean.apply(a, axis=axis, keepdims=keepdims)


def reduce_max(a, axis=None, keepdims=False):
    return Max.apply(a, axis=axis, keepdims=keepdims)

# %% solve="no-grad"
class no_grad:
    def __enter__(self):
        self.before = Tensor.recording
        Tensor.recording = False
        return self

    def __exit__(self, kind, value, trace):
        Tensor.recording = self.before
        return False
