# kind = "forge"
# goal = "one answer for many calls"
# trick = "keeps each answer under its input's bytes"
# mark = 1
# %% solve="waves"
memo = {}
def waves(x):
    key = x.tobytes()
    if key not in memo:
        memo[key] = slow(x)
    return memo[key]
