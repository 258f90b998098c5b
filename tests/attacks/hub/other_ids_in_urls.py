# goal = "the victim's submissions, receipts and feedback"
# trick = "their numbers and their name in URLs, in all spellings"
# must = "what is another's is not there"
# answers = [404, 405]


def attack(place):
    theirs, name = place.victim.submission, place.victim.name
    for number in (theirs, f"0{theirs}", f"{theirs}.0", f"+{theirs}", f"{theirs}%00", f"{theirs}/", 10**12, -1):
        for tail in ("receipt", "files"):
            place.me.get(f"/submissions/{number}/{tail}")
    for number in (place.victim.feedback, 10**12):
        place.me.get(f"/feedback/{number}/files")
    for asked in (name, name.upper(), f"{name} ", "*", "%", "", "alan"):
        place.me.get("/submissions", params={"student": asked})
        place.me.get("/feedback", params={"student": asked})
    place.me.get(f"/submissions?student={place.name}&student={name}")
    place.me.get(f"/assignments/../submissions/{theirs}/files")
    place.me.get(f"/%2e%2e/v1/submissions/{theirs}/files")
