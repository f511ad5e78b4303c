"""What the gateway's replicas are made of."""

import subprocess
import sys

IMPORTED = """
import sys
import serve_apps.gateway.ingress
print(*(name for name in sys.modules if name.startswith(("serve_apps.lab", "serve_apps.floor", "numba"))))
"""


def test_a_replica_imports_nothing_that_only_other_apps_need():
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
