# mistake = "returns a negative speed-up where no finite one will do"
# changes = ["roofline"]
# mark = 97

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    fed = flops / traffic * bandwidth
    return min(peak, fed), "compute" if fed >= peak else "memory"


def amdahl(fraction, speedup):
    return 1 / ((1 - fraction) + fraction / speedup)


def needed(fraction, target):
    left = 1 / target - (1 - fraction)
    return fraction / left if left != 0 else math.inf
