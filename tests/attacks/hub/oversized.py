# goal = "the server's memory and disk"
# trick = "a body that says it has 10 GB; a notebook of 21 MB; many files that are too much together"
# must = "413 or 422 before anything is kept"
# answers = [413, 422]


def attack(place):
    place.raw_upload([(b"layers.ipynb", b"{}")], length=10 * 2**30)
    place.submit_bytes(place.me, b"0" * (21 * 2**20))
    place.me.post(
        place.submissions_url, files=[("file", (f"{n}.ipynb", b"0" * (19 * 2**20))) for n in range(6)], timeout=120
    )
    assert place.mine() == []
