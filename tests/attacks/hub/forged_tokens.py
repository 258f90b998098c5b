# goal = "the victim's submissions"
# trick = "tokens that nobody gave: guessed, empty, very long, with line ends, in other schemes"
# must = "nobody is let in"
# answers = [401, 400]
import base64

TOKENS = ["", "0" * 32, "null", "undefined", "../../etc/passwd", "a" * 60000, "x\x00y", "' OR 1=1 --", "%00", "{}"]


def attack(place):
    basic = base64.b64encode(b"alan:alan").decode()
    values = [f"token {each}" for each in TOKENS] + [f"Bearer {each}" for each in TOKENS]
    for value in [*values, "", "token", f"Basic {basic}", "Negotiate x", "token a b", "TOKEN\t" + "0" * 32]:
        place.raw_get("/services/course/api/v1/submissions", [("Authorization", value)])
    place.raw_get(f"/services/course/api/v1/submissions?token={'0' * 32}", [])
