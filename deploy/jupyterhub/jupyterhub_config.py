"""허브를 이 컴퓨터에서 시험해 본다: 아무 이름으로나 들어간다. 수업에는 values-*.yaml을 쓴다.

    MINIK8S_HUB=/tmp/hub jupyterhub -f deploy/jupyterhub/jupyterhub_config.py

MINIK8S_HUB: 허브와 학생의 파일을 둘 폴더, MINIK8S_HUB_PORTS: 쓸 포트 셋(바깥, 프록시, 허브).
"""

import os
import shutil
import sys
from pathlib import Path

HOME = Path(os.environ.get("MINIK8S_HUB", "hub")).resolve()
PUBLIC, PROXY, HUB = (int(port) for port in os.environ.get("MINIK8S_HUB_PORTS", "8000 8001 8081").split())
SEARCH = os.pathsep.join([str(Path(__file__).resolve().parents[2] / "node_modules" / ".bin"), os.environ["PATH"]])
HOME.mkdir(parents=True, exist_ok=True)

c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{PUBLIC}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{HUB}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PROXY}"
c.ConfigurableHTTPProxy.pid_file = str(HOME / "proxy.pid")
c.ConfigurableHTTPProxy.command = shutil.which("configurable-http-proxy", path=SEARCH)
c.JupyterHub.db_url = f"sqlite:///{HOME / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(HOME / "cookie_secret")
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(HOME / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
c.Spawner.environment = {"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}
