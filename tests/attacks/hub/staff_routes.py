# goal = "an extension, others' work, a released solution, the instructor's role"
# trick = "a student calls what staff call, with other methods and method overrides too"
# must = "forbidden, and nothing happens"
# answers = [403, 405, 404, 307]


def attack(place):
    name, me = place.victim.name, place.me
    due = {"due": "2099-12-01T00:00:00+00:00"}
    evil = [("file", ("layers.ipynb", b"evil"))]
    me.put(f"/extensions/{place.name}/02-kernels", json=due)
    me.delete(f"/extensions/{name}/02-kernels")
    me.get("/extensions")
    me.get("/roster")
    me.put("/roster", json={"roster": [{"name": place.name, "role": "instructor"}]})
    me.put("/assignments/01-layers/release", files=evil)
    me.delete("/assignments/01-layers/release")
    me.post("/assignments/01-layers/collect", json={})
    me.post(f"/assignments/01-layers/feedback/{name}", params={"sha256": "0", "attempt": "1"}, files=evil)
    me.post(f"/assignments/01-layers/feedback/{place.name}", params={"sha256": "0", "attempt": "1"}, files=evil)
    for method in ("POST", "PATCH", "OPTIONS", "TRACE"):
        me.request(method, "/roster", headers={"X-HTTP-Method-Override": "PUT"}, json={})
    me.get("/Roster")
    me.get("/roster/")
    me.get("//roster")
