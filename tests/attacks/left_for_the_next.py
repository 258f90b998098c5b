# kind = "escape"
# goal = "to run in the kernels that come after it"
# trick = "start-up files, caches and environment left in every place that it may write; then it ends itself, and looks in the next kernel"
# mark = 0
# %%
import os, time
WORD = "left-by-an-earlier-kernel"
home = os.path.expanduser("~")
places = [f"{home}/{name}" for name in (
    ".ipython/profile_default/startup/00.py", ".local/lib/python3.11/site-packages/usercustomize.py", ".local/lib/python3.11/site-packages/a.pth",
    ".matplotlib/matplotlibrc", ".config/matplotlib/matplotlibrc", ".cache/numba/a.nbi", ".cache/torch/a", ".pdbrc", ".bashrc", ".profile",
    ".pythonrc", ".jupyter/jupyter_server_config.py", "sitecustomize.py", "numpy.py")]
places += [f"{folder}/{name}" for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/opt/mlsys", ".") for name in (
    "numpy.py", "torchinductor_student/a", "__pycache__/a.pyc", ".secret", "mlsys.pth")]
kept = 0
for path in places:
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        kept += open(path, "w").write(f"# {WORD}\nprint('FOUND:', ['{WORD}'])\n")
    except OSError:
        pass
for name in ("LD_PRELOAD", "PYTHONSTARTUP", "BASH_ENV", "PYTHONPATH", "PYTHONINSPECT"):
    os.environ[name] = f"/tmp/{WORD}.so"
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(1000)
os._exit(0)
# %%
import os
WORD = "left-by-an-earlier-kernel"
found = [name for name, value in os.environ.items() if WORD in value]
trees = [os.walk(place) for place in ("/tmp", "/dev/shm", "/run", "/var", "/opt", "/etc", "/home", ".")]
for folder, _, names in (step for tree in trees for step in tree):
    for name in names:
        try:
            if WORD in open(os.path.join(folder, name), errors="ignore").read(1 << 16):
                found.append(os.path.join(folder, name))
        except OSError:
            pass
print("FOUND:", found)
