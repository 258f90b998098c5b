"""Files and pages for putting a hub on a server, into Kubernetes, and behind an institution's login."""
