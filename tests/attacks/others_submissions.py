# kind = "read"
# goal = "other students' work and grades"
# trick = "looks for notebooks, snapshots, databases and feedback in every folder, and up from every open one"
# mark = 0
# %%
import os
found = []
for start in ("/", "/proc/1/root/", "/proc/1/cwd/", "/proc/self/root/", "/proc/self/cwd/../../../", "/opt/mlsys/..", "/dev/fd/0/../.."):
    for folder, inner, names in os.walk(start):
        inner[:] = [name for name in inner if name not in ("proc", "sys", "usr", "site-packages", "lib")]
        found += [os.path.join(folder, n) for n in names if n.endswith((".ipynb", ".db", ".sqlite", "receipt.json", "roster.csv", "grades.csv"))]
print("FOUND:", found)
