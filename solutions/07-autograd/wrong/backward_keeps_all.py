# mistake = "backward collects in grad of every tensor, so a second call starts from the first one's remains"
# changes = ["backward"]
# mark = 92

# %% solve="backward"
def backward(root, grad=None):
    if not root.requires_grad:
        raise ValueError("backward: root doesn't require a gradient")
    if grad is None:
        if root.data.size != 1:
            raise ValueError("backward: root has more than one element, so grad must be given")
        grad = np.ones(root.data.shape)
    root.grad = np.array(grad) if root.grad is None else root.grad + grad
    for tensor in reversed(topological_order(root)):
        if tensor.parents:
            for parent, share in zip(tensor.parents, tensor.rule(tensor.grad)):
                if parent.requires_grad:
                    parent.grad = share if parent.grad is None else parent.grad + share
