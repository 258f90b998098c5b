# goal = "rows of others, or a broken database"
# trick = "SQL, wildcards and formats wherever a text goes into a question to the database"
# must = "a text is a text"
# answers = [200, 404, 422]
from urllib.parse import quote

WORDS = ["' OR '1'='1", "%", "_", "*", "1; DROP TABLE exchange_submission; --", "{0}", "%s", "\\", '"', "\u0000"]


def attack(place):
    for word in WORDS:
        found = place.me.get("/submissions", params={"assignment": word})
        assert found.json() == {"submissions": []}
        place.me.get("/feedback", params={"assignment": word})
        place.me.get("/submissions", params={"student": word})
        place.submit(place.me, "x", assignment=quote(word, safe=""))
