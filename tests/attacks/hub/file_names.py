# goal = "a file outside mallory's own submission"
# trick = "names that are paths, absolute, hidden, with NUL, line ends, look-alike slashes and dots, very long, or twice"
# must = "no such name is taken"
# answers = [422, 400]

NAMES = [
    "../layers.ipynb", "../../alan/01-layers/layers.ipynb", "/tmp/layers.ipynb", "a/b.ipynb", ".layers.ipynb",
    "..", ".", "", "x\x00.ipynb", "x\r\nSet-Cookie: a=b.ipynb", "layers.ipynb\n", "..\u2215layers.ipynb",
    "\u2024\u2024/layers.ipynb", "\uff0e\uff0e\uff0flayers.ipynb", "\u202egnp.ipynb", "a" * 101 + ".ipynb",
    "\u00e9" * 99 + ".ipynb", "a" * 60000 + ".ipynb", "<script>alert(1)</script>.ipynb", "$(id).ipynb", "`id`.ipynb",
    "..\\layers.ipynb", "\ud800.ipynb", "~root.ipynb", "-rf.ipynb", "a|b.ipynb", "a\tb.ipynb", "\u200blayers.ipynb",
]


def attack(place):
    for name in NAMES:
        data = name.encode("utf-8", "surrogatepass")
        place.rest()
        place.raw_upload([(data, b"{}")])
        place.raw_upload([(b"layers.ipynb", b"{}"), (data, b"{}")])
    place.rest()
    place.raw_upload([(b"layers.ipynb", b"{}"), (b"layers.ipynb", b"[]")])
    place.raw_upload([("e\u0301.ipynb".encode(), b"{}"), ("\u00e9.ipynb".encode(), b"[]")])
    place.raw_upload([(b"notes.txt", b"no notebook")])
    place.raw_upload([(f"{n}.ipynb".encode(), b"{}") for n in range(51)])
