# goal = "what the instructor may do"
# trick = "tokens that are real but not for this service: of another service, and the one that an instructor's visit leaves in mallory's own server"
# must = "a token without access to the course service is no token"
# answers = [401]


def attack(place):
    for token in (
        place.hub.token("culler", kind="service"),
        place.hub.token("alan", "access:servers!server=mallory/"),
        place.hub.token("alan", "access:services!service=other", "read:users!user=alan", "identify"),
        place.hub.token("alan", "self"),
    ):
        with place.client(token) as client:
            client.get("/roster")
            client.get("/submissions")
