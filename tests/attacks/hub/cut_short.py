# goal = "a submission of the first of two files, as if it were all"
# trick = "the last boundary is missing; the boundary is another one; parts without names"
# must = "an upload that isn't whole is no submission"
# answers = [400, 422]


def attack(place):
    whole = place.multipart([(b"a.ipynb", b"{}"), (b"b.ipynb", b"{}")])
    for cut in (4, 10, 40, len(whole) // 2):
        place.raw_body(whole[:-cut])
    place.raw_body(whole.replace(b"--edge--", b"--edge"))
    place.raw_body(whole.replace(b"edge", b"ebge"))
    place.raw_body(whole.replace(b'; name="file"', b""))
    assert place.mine() == []
