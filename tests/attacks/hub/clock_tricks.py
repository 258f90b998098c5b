# goal = "a submission after the end, or one that counts as earlier"
# trick = "times in headers, in the query and in fields; the closed and the future assignment"
# must = "our clock alone counts"
# answers = [200, 403, 422]


def attack(place):
    early = "Tue, 07 Jan 2020 10:00:00 GMT"
    headers = {"Date": early, "Last-Modified": early, "X-Timestamp": "0", "If-Unmodified-Since": early}
    for assignment in ("02-kernels", "03-future"):
        params = {"received": "2020-01-07T10:00:00+00:00", "timestamp": "0", "now": "2098-06-01"}
        answer = place.submit(place.me, "x", assignment=assignment, headers=headers, params=params)
        assert answer.status_code == 403
        place.me.get(f"/assignments/{'03-future'}/files", headers=headers)
    taken = place.submit(place.me, "y", headers=headers, params={"received": "2020-01-07T10:00:00+00:00"}).json()
    assert taken["received"] > "2020-02"
