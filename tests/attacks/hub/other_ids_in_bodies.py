# goal = "a submission in the victim's name"
# trick = "their name in headers, in the query, as a field and as a file of the upload"
# must = "a submission is mallory's, or none at all"
# answers = [200, 422]


def attack(place):
    name = place.victim.name
    headers = {"X-Forwarded-User": name, "Remote-User": name, "X-JupyterHub-User": name, "X-Remote-User": name}
    place.submit(place.me, "a", headers=headers, params={"student": name, "user": name})
    url = place.submissions_url
    place.me.post(url, data={"student": name}, files=[("student", ("layers.ipynb", b"{}"))])
    place.me.post(url, files=[("file", ("layers.ipynb", b"{}")), ("student", (None, name))])
    place.submit(place.me, "b", cookies={"service-course": place.hub.token(name), "JUPYTERHUB_USER": name})
