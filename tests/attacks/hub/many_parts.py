# goal = "the server's time"
# trick = "a body of 100,000 parts, of huge part headers, of fields instead of files"
# must = "refused at the first part too many"
# answers = [422]


def attack(place):
    place.raw_body(place.multipart([(b"%d.ipynb" % n, b"") for n in range(100_000)]))
    part = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.ipynb"\r\n'
    place.raw_body(part + b"X: " + b"0" * 2**20 + b"\r\n\r\n{}\r\n--edge--\r\n")
    place.raw_body(part + b"X: y\r\n" * 20_000 + b"\r\n{}\r\n--edge--\r\n")
    field = b'--edge\r\nContent-Disposition: form-data; name="f"\r\n\r\n'
    place.raw_body((field + b"0\r\n") * 1000 + b"--edge--\r\n")
    assert place.mine() == []
