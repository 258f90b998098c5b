# goal = "two submissions with one number, or more than are allowed"
# trick = "many requests at the same moment"
# must = "each has its number and its receipt; some are told to come back later"
# answers = [200, 429]
from concurrent.futures import ThreadPoolExecutor


def attack(place):
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: place.submit(place.me, str(n)), range(24)))
    taken = [each.json() for each in answers if each.status_code == 200]
    assert taken
    assert sorted(each["number"] for each in place.mine()) == list(range(1, len(place.mine()) + 1))
    assert {each["id"] for each in taken} == {each["id"] for each in place.mine()}
    assert len({each["sha256"] for each in taken}) == len(taken)
