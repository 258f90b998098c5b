# mistake = "train never clears the gradients"
# changes = ["training"]
# mark = 96

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
        loss = cross_entropy(mlp(Tensor(x), parameters), labels)
        loss.backward()
        for parameter in parameters:
            parameter.data = parameter.data - learning_rate * parameter.grad
        losses.append(float(loss.data))
    return losses
