# mistake = "topological_order calls itself for each parent and dies on a deep graph"
# changes = ["topological-order", "backward"]
# mark = 94

# %% solve="topological-order"
def topological_order(root):
    order, met = [], set()

    def visit(tensor):
        if id(tensor) in met:
            return
        met.add(id(tensor))
        for parent in tensor.parents:
            visit(parent)
        order.append(tensor)

    visit(root)
    return order
