# mistake = "the larger of the two bounds"
# changes = ["roofline"]
# mark = 96

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    fed = flops / traffic * bandwidth
    return max(peak, fed), "compute" if fed >= peak else "memory"


def amdahl(fraction, speedup):
    return 1 / ((1 - fraction) + fraction / speedup)


def needed(fraction, target):
    left = 1 / target - (1 - fraction)
    return fraction / left if left > 0 else math.inf
