"""Real services from Kubernetes YAML in the shapes of well-known guides: a guestbook, and a blog with its database."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.support import ports, services, wait
from tests.support.engine import Podpy

pytestmark = pytest.mark.xdist_group("services")

FRONTEND = """
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer

def ask(host, *words):
    with socket.create_connection((host, 6379), 10) as redis:
        redis.sendall(" ".join(words).encode() + b"\\r\\n")
        answer = redis.makefile("rb")
        head = answer.readline().decode().strip()
        return answer.readline().decode().strip() if head.startswith("$") else head

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        word = self.path.strip("/")
        said = ask("redis-leader.default.svc.cluster.local", "SET", "word", word) if word else ""
        self.send_response(200)
        self.end_headers()
        self.wfile.write((said or ask("redis-follower", "GET", "word")).encode())

    def log_message(self, *_): ...

HTTPServer(("", 8080), Handler).serve_forever()
"""
GUESTBOOK = """
apiVersion: v1
kind: ConfigMap
metadata: {name: frontend}
data:
  app.py: |
PROGRAM
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis-leader, labels: {app: redis, role: leader}}
spec:
  replicas: 1
  selector: {matchLabels: {app: redis, role: leader}}
  template:
    metadata: {labels: {app: redis, role: leader}}
    spec: &redis
      terminationGracePeriodSeconds: 5
      containers:
      - name: leader
        image: localhost/web
        command: [redis-server]
        args: [--save, "", --protected-mode, "no", --dir, /tmp]
        resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {memory: 256Mi}}
        ports: [{containerPort: 6379, name: redis}]
        readinessProbe: {tcpSocket: {port: redis}, periodSeconds: 1}
        livenessProbe: {exec: {command: [redis-cli, ping]}, periodSeconds: 5, timeoutSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: redis-leader}
spec: {selector: {app: redis, role: leader}, ports: [{port: 6379, targetPort: redis}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis-follower}
spec:
  replicas: 2
  selector: {matchLabels: {app: redis, role: follower}}
  template:
    metadata: {labels: {app: redis, role: follower}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: follower
        image: localhost/web
        command: [redis-server, --replicaof, $(LEADER), "6379", --save, "", --protected-mode, "no", --dir, /tmp]
        env: [{name: LEADER, value: redis-leader}]
        ports: [{containerPort: 6379}]
---
apiVersion: v1
kind: Service
metadata: {name: redis-follower}
spec: {selector: {app: redis, role: follower}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  replicas: 1
  selector: {matchLabels: {app: guestbook}}
  template:
    metadata: {labels: {app: guestbook}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: localhost/web
        command: [python3, /app/app.py]
        ports: [{containerPort: 8080, hostPort: PORT, hostIP: 127.0.0.1}]
        volumeMounts: [{name: app, mountPath: /app}]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
      volumes: [{name: app, configMap: {name: frontend}}]
---
apiVersion: v1
kind: Service
metadata: {name: frontend}
spec: {type: NodePort, selector: {app: guestbook}, ports: [{port: 80, targetPort: 8080}]}
"""
BLOG = """
apiVersion: v1
kind: Secret
metadata: {name: blog-db}
type: Opaque
stringData: {password: "b1og$(HOME) 'x\\""}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: blog-db}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: blog}
data:
  init.sh: |
    set -e
    PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
    [ ! -e /data/pg ] || exit 0
    initdb --no-sync --no-locale -A scram-sha-256 -U blog --pwfile=/secret/password -D /data/new
    echo "host all all all scram-sha-256" >> /data/new/pg_hba.conf
    busybox mv /data/new /data/pg
  db.sh: |
    PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
    exec postgres -F -D /data/pg -h '*' -k /tmp
  post: |
    #!/bin/sh
    echo
    PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
    export PGOPTIONS="-c client_min_messages=warning"
    psql -qAt -h blog-db -U blog -d postgres -c "CREATE TABLE IF NOT EXISTS posts (id serial)" \\
      -c "INSERT INTO posts DEFAULT VALUES" -c "SELECT count(*) FROM posts" 2>&1
---
apiVersion: v1
kind: Service
metadata: {name: blog-db}
spec: {clusterIP: None, selector: {app: blog, tier: db}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog-db}
spec:
  selector: {matchLabels: {app: blog, tier: db}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: blog, tier: db}}
    spec:
      terminationGracePeriodSeconds: 20
      securityContext: {fsGroup: 999}
      volumes:
      - {name: data, persistentVolumeClaim: {claimName: blog-db}}
      - {name: scripts, configMap: {name: blog, defaultMode: 0755, items: [{key: init.sh, path: init.sh},
          {key: db.sh, path: db.sh}]}}
      - {name: secret, secret: {secretName: blog-db, defaultMode: 0440}}
      initContainers:
      - name: own
        image: localhost/database
        command: [busybox, chown, "999:999", /data]
        volumeMounts: [{name: data, mountPath: /data}]
      - name: init
        image: localhost/database
        securityContext: &service {runAsUser: 999, runAsGroup: 999, allowPrivilegeEscalation: false}
        command: [sh, /scripts/init.sh]
        volumeMounts: &mounts
        - {name: data, mountPath: /data}
        - {name: scripts, mountPath: /scripts}
        - {name: secret, mountPath: /secret}
      containers:
      - name: postgres
        image: localhost/database
        securityContext: *service
        command: [sh, /scripts/db.sh]
        ports: [{containerPort: 5432}]
        lifecycle: {stopSignal: SIGINT}
        startupProbe: {tcpSocket: {port: 5432}, periodSeconds: 1, failureThreshold: 100}
        livenessProbe: {tcpSocket: {port: 5432}, periodSeconds: 5}
        volumeMounts: *mounts
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog}
spec:
  selector: {matchLabels: {app: blog, tier: web}}
  template:
    metadata: {labels: {app: blog, tier: web}}
    spec:
      terminationGracePeriodSeconds: 0
      volumes:
      - name: www
        configMap: {name: blog, items: [{key: post, path: cgi-bin/post, mode: 0755}]}
      containers:
      - name: web
        image: localhost/database
        command: [busybox, httpd, -f, -p, "8080", -h, /www]
        env: [{name: PGPASSWORD, valueFrom: {secretKeyRef: {name: blog-db, key: password}}}]
        ports: [{containerPort: 8080, hostPort: PORT, hostIP: 127.0.0.1}]
        volumeMounts: [{name: www, mountPath: /www}]
"""


@pytest.fixture
def web(podpy: Podpy, session_base: Path) -> None:
    """The image localhost/web, with nginx, redis-server and Python."""
    podpy.ok("import", str(services.root_filesystem(services.WEB, session_base)), "localhost/web:latest")


@pytest.fixture
def database(podpy: Podpy, session_base: Path) -> None:
    """The image localhost/database, with PostgreSQL."""
    podpy.ok("import", str(services.root_filesystem(services.DATABASE, session_base)), "localhost/database:latest")


def get(port: int, path: str) -> str:
    """Return what a page says; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            text: str = answer.read().decode().strip()
            return text
    except OSError:
        return ""


def test_a_guestbook_writes_to_the_leader_and_reads_from_a_follower(podpy: Podpy, web: None) -> None:
    port = ports.free()
    program = "".join(f"    {line}\n" for line in FRONTEND.strip().splitlines())
    text = GUESTBOOK.replace("PROGRAM\n", program).replace("PORT", str(port))
    podpy.ok("kube", "play", "--multiple-pods", "-", input=text)
    assert podpy.ok("pod", "ps", "--format={{.Name}}", "--sort=name").splitlines() == [
        "frontend-pod", "redis-follower-pod-0", "redis-follower-pod-1", "redis-leader-pod",
    ]  # fmt: skip
    wait.until(lambda: get(port, "hello") == "+OK", what="the leader takes a word")
    wait.until(lambda: get(port, "") == "hello", what="a follower has it")
    again = podpy.ok("kube", "generate", "redis-leader-pod")
    podpy.ok("kube", "play", "--replace", "-", input=again)
    assert podpy.ok("pod", "ps", "--format={{.Status}}", "--filter=name=leader") == "Running"
    podpy.ok("kube", "down", "-", input=text)
    assert (podpy.ok("pod", "ps", "-q"), podpy.ok("volume", "ls", "-q")) == ("", "")


def test_a_blog_keeps_its_posts_when_its_pods_are_replaced(podpy: Podpy, database: None) -> None:
    port = ports.free()
    text = BLOG.replace("PORT", str(port))
    podpy.ok("kube", "play", "-", input=text)
    post = "cgi-bin/post"
    wait.until(lambda: get(port, post) == "1", what="the first post is there")
    assert get(port, post) == "2"
    podpy.ok("kube", "play", "--replace", "-", input=text)
    wait.until(lambda: get(port, post) == "3", what="the third post is there")
    podpy.ok("kube", "down", "-", input=text)
    assert (podpy.ok("volume", "ls", "-q"), podpy.ok("secret", "ls", "-q")) == ("blog-db", "")
    podpy.ok("kube", "down", "--force", "-", input=text)
    assert podpy.ok("volume", "ls", "-q") == ""
