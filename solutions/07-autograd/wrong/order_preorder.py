# mistake = "topological_order writes a tensor down when it first meets it and reverses the list"
# changes = ["topological-order", "backward", "training"]
# mark = 74

# %% solve="topological-order"
def topological_order(root):
    order, met = [], {id(root)}
    stack = [root]
    while stack:
        tensor = stack.pop()
        order.append(tensor)
        for parent in tensor.parents:
            if id(parent) not in met:
                met.add(id(parent))
                stack.append(parent)
    return order[::-1]
