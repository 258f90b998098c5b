# kind = "harm"
# goal = "the browser of whoever reads the feedback"
# trick = "HTML, scripts and pictures in outputs of every kind, in an error's name and words, in a source and in what a visible test says"
# mark = 3
# leak = "<img src=\"x"
# %%
from IPython.display import HTML, SVG, Javascript, Markdown, display
EVIL = "</pre></script><img src=\"x\" onerror=\"alert(1)\"><script src=\"//evil\"></script>{{ 7 * 7 }}{% raw %}"
display(HTML(EVIL), Markdown(EVIL), Javascript(EVIL))
display({"text/plain": EVIL, "image/svg+xml": f"<svg>{EVIL}</svg>", "image/png": EVIL, "text/latex": EVIL, EVIL: EVIL}, raw=True)
display({"image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf\"><img src=\"x\""}, raw=True)
raise type(EVIL, (ValueError,), {})(EVIL)
# %% solve="double"
EVIL = "</pre></script><img src=\"x\" onerror=\"alert(1)\"><script src=\"//evil\"></script>"
def double(x):
    raise type(EVIL, (ValueError,), {})(EVIL)
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
