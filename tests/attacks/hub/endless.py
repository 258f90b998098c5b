# goal = "the server's memory and disk"
# trick = "an upload in chunks that never ends"
# must = "413, and the connection ends"
# answers = [413]


def attack(place):
    sent = place.raw_endless(most=400 * 2**20)
    assert sent < 250 * 2**20
    assert place.mine() == []
