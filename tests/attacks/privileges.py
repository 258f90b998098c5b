# kind = "escape"
# goal = "root"
# trick = "set-uid programs, programs with capabilities, setuid, capset and prctl"
# mark = 0
# %%
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
found, programs = [], []
for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0", "/usr/libexec", "/bin", "/sbin"):
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        try:
            if os.lstat(path).st_mode & 0o106000 in (0o104000, 0o102000, 0o106000) or "security.capability" in os.listxattr(path):
                programs.append(path)
        except OSError:
            pass
before = open("/proc/self/status").read()
for program in {os.path.realpath(each) for each in programs}:
    for words in (["-c", "id -u; id -g"], ["id", "-u"]):
        try:
            said = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=1).stdout.split()
        except (OSError, subprocess.TimeoutExpired):
            continue
        if b"0" in said:
            found.append((program, words))
for name, arguments in (("setuid", (0,)), ("setgid", (0,)), ("setreuid", (0, 0)), ("setresuid", (0, 0, 0)), ("setresgid", (0, 0, 0))):
    if getattr(libc, name)(*arguments) == 0:
        found.append(name)
try:
    os.setgroups([0])
    found.append("setgroups")
except OSError:
    pass
header, everything = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if libc.capset(header, everything) == 0:
    found.append("capset")
for option in ((28, 0x3F), (47, 2, 21, 0, 0), (38, 0, 0, 0, 0)):  # SECUREBITS, AMBIENT raise SYS_ADMIN, NO_NEW_PRIVS off
    if libc.prctl(*option) == 0:
        found.append(option)
if open("/proc/self/status").read()[before.index("Uid"):before.index("Seccomp")].find("NoNewPrivs:\t1") < 0:
    found.append("new privileges may be had")
print("FOUND:", found)
