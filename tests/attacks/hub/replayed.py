# goal = "more attempts, or several receipts for one submission"
# trick = "the same request again and again, also after another one was recorded on the wire"
# must = "the same bytes are one submission with one receipt"
# answers = [200]


def attack(place):
    answers = {place.submit(place.me, "replayed").text for _ in range(6)}
    assert len(answers) == 1
    assert [each["number"] for each in place.mine()] == [1]
