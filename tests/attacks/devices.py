# kind = "escape"
# goal = "the host's memory and disks"
# trick = "device files: those that are there, and new ones"
# mark = 0
# %%
import os, stat
harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
found = []
for folder, inner, names in os.walk("/dev"):
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and name not in harmless:
            try:
                os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
                found.append(path)
            except OSError:
                pass
for kind, numbers in ((stat.S_IFCHR, [(1, 1), (1, 2), (1, 4), (1, 11), (10, 200), (10, 229), (10, 232), (5, 1), (4, 1)]),
                      (stat.S_IFBLK, [(7, 0), (8, 0), (8, 1), (254, 0), (259, 0), (253, 0)])):
    for place in ("/tmp", "/dev/shm", "/dev", "/"):
        for major, minor in numbers:
            path = f"{place}/device-{major}-{minor}"
            try:
                os.mknod(path, kind | 0o666, os.makedev(major, minor))
                os.open(path, os.O_RDWR | os.O_NONBLOCK)
                found.append(path)
            except OSError:
                pass
print("FOUND:", found)
