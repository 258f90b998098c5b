# goal = "an earlier time of submission, another receipt"
# trick = "timestamp.txt, receipt.json and submission_secret.txt in the upload"
# must = "they are left out, and the receipt says so"
# answers = [200]


def attack(place):
    names = (b"timestamp.txt", b"receipt.json", b"submission_secret.txt", b"TIMESTAMP.TXT")
    answer = place.raw_upload([(b"layers.ipynb", b"{}"), *((name, b"1999-01-01 00:00:00 UTC") for name in names)])
    receipt = place.body(answer)
    assert [each["name"] for each in receipt["files"]] == ["layers.ipynb"]
    assert set(receipt["ignored"]) == {name.decode() for name in names}
    assert receipt["received"] > "2020"
