# goal = "somebody else's folder"
# trick = "an account of the hub whose name is a path, or looks like another's"
# must = "who can't be a student id is nobody here"
# answers = [401]


def attack(place):
    for name in ("..", "../victim", "/etc", "victim/../alan", "al\u0430n", ".victim", "a" * 65, "victim\n", "vic tim"):
        with place.client(place.hub.token(name)) as client:
            client.get("/submissions")
            place.submit(client)
