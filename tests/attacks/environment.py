# kind = "read"
# goal = "secrets in the environment, the command line and the host's name"
# trick = "os.environ, environ in C, argv, hostname, user, home, time zone, machine id"
# mark = 0
# %%
import ctypes, os, platform, re, sys
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
raw = []
while environ[len(raw)]:
    raw.append(environ[len(raw)].decode())
known = "PATH HOME LANG PYTHON TMPDIR LOGNAME OMP_ OPENBLAS MKL_ NUMEXPR_ TORCH MPL IPYTHON USER PWD TERM LC_ TZ SHLVL _ KMP_ TRITON XDG_ JUPYTER_ COLUMNS LINES CLICOLOR FORCE_COLOR PAGER GIT_PAGER PYDEVD_ HF_".split()
found = [each for each in raw if not each.startswith(tuple(known))]
found += [each for each in raw if re.search(r"(?i)secret|token|passw|key=|://", each)]
found += [name for name in (platform.node(),) if name != "box"]
for path in ("/etc/machine-id", "/etc/shadow", "/root", "/home", "/etc/ssh", "/var/lib", "/run", "/var/run/docker.sock"):
    try:
        found += os.listdir(path) if os.path.isdir(path) else [open(path).read(200)]
    except OSError:
        pass
print("FOUND:", found)
