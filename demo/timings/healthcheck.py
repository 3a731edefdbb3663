"""Asked by the container engine."""

import os
import urllib.request

port = os.environ.get("PORT", "8080")
urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).read()
