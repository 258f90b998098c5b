# goal = "a half upload that counts, or a second request that is smuggled in"
# trick = "a Content-Length that is too small, too large, negative, twice, or beside chunks"
# must = "nothing of it is kept, and no second request is answered with anybody's data"
# answers = [400, 401, 404, 405, 413, 422]


def attack(place):
    files = [(b"layers.ipynb", b"0" * 5000)]
    for length in (0, 1, 200, 4000):
        place.raw_upload(files, length=length)
    for length in (10**4, 10**9):
        place.raw_upload(files, length=length, then_close=True)
    for length in ("-1", "5e3", "0x100", " 12 34", "٣"):
        place.raw_upload(files, length=length)
    place.raw_upload(files, extra=[("Content-Length", "3")])
    place.raw_upload(files, extra=[("Transfer-Encoding", "chunked")])
    place.raw_upload(files, extra=[("Transfer-Encoding", "x, chunked, identity")])
    assert place.mine() == []
