"""Real services on user networks: nginx before a Python app with Redis, PostgreSQL; by name, and from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.network.moving_host import REMOTE, MovingHost, moving_host
from tests.support import needs, services, wait
from tests.support.engine import Podpy, shared_directory

pytestmark = pytest.mark.xdist_group("services")

HOST, HOST_V6, REMOTE_V6 = "10.1.0.2", "2001:db8::2", "2001:db8:9::7"
APP = """
import os, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with socket.create_connection(("cache", 6379), 10) as redis:
            redis.sendall(b"INCR hits\\r\\n")
            hits = redis.makefile("rb").readline().decode().strip(":\\r\\n")
        body = f"{os.environ['VERSION']} {hits} {self.headers['X-Real-IP']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
NGINX = """
daemon off;
error_log stderr;
pid /tmp/nginx.pid;
worker_processes 1;
events {}
http {
    access_log /dev/stdout;
    server {
        listen 80;
        listen [::]:80;
        proxy_connect_timeout 2s;
        proxy_set_header X-Real-IP $remote_addr;
        location / { proxy_pass http://app:8000; }
        location /looked-up-each-time { resolver 10.77.0.1; set $app newest; proxy_pass http://$app:8000; }
    }
}
"""
CLIENT = """
import http.client, sys
from concurrent.futures import ThreadPoolExecutor

def get(_):
    connection = http.client.HTTPConnection(sys.argv[1], 8080, timeout=60, source_address=(sys.argv[2], 0))
    connection.request("GET", sys.argv[3])
    answer = connection.getresponse()
    return f"{answer.status} {answer.read().decode().strip()}"

with ThreadPoolExecutor(8) as pool:
    print(*pool.map(get, range(int(sys.argv[4]))), sep="\\n")
"""
POSTGRES = """
set -e
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
initdb --no-sync --no-locale -A trust -U shop -D /tmp/data
echo "host all all all trust" >> /tmp/data/pg_hba.conf
exec postgres -F -D /tmp/data -h '*' -k /tmp
"""


@pytest.fixture
def web(podpy: Podpy, session_base: Path) -> str:
    """An image with nginx, redis-server and Python."""
    podpy.ok("import", str(services.root_filesystem(services.WEB, session_base)), "localhost/web:latest")
    return "localhost/web"


@pytest.fixture
def database(podpy: Podpy, session_base: Path) -> str:
    """An image with PostgreSQL."""
    podpy.ok("import", str(services.root_filesystem(services.DATABASE, session_base)), "localhost/database:latest")
    return "localhost/database"


@dataclass
class Shop:
    """nginx (`web`, published on 8080), the app and Redis (`cache`) on the network `shop`, and clients elsewhere."""

    host: MovingHost
    image: str

    def start_app(self, version: str) -> None:
        """Start the app."""
        said = ["-e", f"VERSION={version}", self.image, "python3", "-c", APP]
        self.host.podpy("run", "-d", "--name=app", "--network=shop:alias=newest", *said).ok()

    def get(self, path: str, count: int = 1, *, v6: bool = False) -> list[str]:
        """Return statuses and answers of `count` requests, eight at a time, of a client with an address of its own."""
        where = (HOST_V6, REMOTE_V6) if v6 else (HOST, REMOTE)
        return self.host.remote(sys.executable, "-c", CLIENT, *where, path, str(count)).splitlines()

    def is_open(self) -> bool:
        """Return whether a request is answered."""
        try:
            return self.get("/")[0].startswith("200 ")
        except subprocess.CalledProcessError:  # reset: nginx doesn't listen yet
            return False

    def logged(self, client: str) -> int:
        """Return how many answered requests of a client nginx has written down."""
        lines = self.host.podpy("logs", "web").ok().splitlines()
        return sum(line.startswith(f"{client} - - ") and '" 200 ' in line for line in lines)


@pytest.fixture
def shop(podpy: Podpy, web: str) -> Iterator[Shop]:
    """The shop, open."""
    needs.require("mount")
    directory = shared_directory(podpy)
    (directory / "nginx.conf").write_text(NGINX)
    with moving_host(podpy) as host:
        host.name_server("198.51.100.53")
        host.route(0)
        host.ip(f"addr add {HOST_V6}/64 dev up0 nodad")
        for address in ("2001:db8::1", REMOTE_V6):
            host.remote("ip", "addr", "add", f"{address}/64", "dev", "up0", "nodad")
        host.ip("-6 route add default via 2001:db8::1")
        made = Shop(host, web)
        subnets = ["--subnet=10.77.0.0/24", "--subnet=fd00:77::/64"]
        host.podpy("network", "create", *subnets, "shop").ok()
        run = ["run", "-d", "--network=shop"]
        host.podpy(*run, "--name=cache", web, "redis-server", "--protected-mode", "no", "--save", "").ok()
        made.start_app("one")
        mounted = ["-v", f"{directory}:/conf:ro", "-p", "8080:80"]
        host.podpy(*run, "--name=web", *mounted, web, "nginx", "-c", "/conf/nginx.conf").ok()
        wait.until(made.is_open, what="the shop is open")
        yield made


def test_every_request_arrives_and_is_logged_with_its_clients_address(shop: Shop) -> None:
    for client, v6 in ((REMOTE, False), (REMOTE_V6, True)):
        before, logged = int(shop.get("/", v6=v6)[0].split()[2]), shop.logged(client)
        answers = [answer.split() for answer in shop.get("/", 100, v6=v6)]
        assert {(status, version, seen) for status, version, _, seen in answers} == {("200", "one", client)}
        assert sorted(int(hits) for _, _, hits, _ in answers) == [*range(before + 1, before + 101)]
        assert shop.logged(client) == logged + 100


def test_who_comes_again_elsewhere_is_found_by_its_name(shop: Shop) -> None:
    path = "/looked-up-each-time"
    assert shop.get(path)[0].startswith("200 one ")
    shop.host.podpy("rm", "-f", "-t0", "app").ok()
    assert shop.get(path)[0].startswith("50")
    shop.start_app("two")
    wait.until(lambda: shop.get(path)[0].startswith("200 two "), what="the new app is found")
    shop.host.podpy("stop", "cache").ok()
    shop.host.podpy("start", "cache").ok()
    wait.until(lambda: shop.get(path)[0].startswith("200 two "), what="the cache is found again")


def test_postgresql_by_name(podpy: Podpy, database: str) -> None:
    podpy.ok("network", "create", "net")
    served = ["--user=service", database, "sh", "-c", POSTGRES]
    podpy.ok("run", "-d", "--name=db", "--network=net:alias=postgres.internal", *served)
    podpy.ok("run", "-d", "--name=client", "--network=net", database, "sleep", "1000")

    def sql(text: str) -> str:
        ask = f"/usr/lib/postgresql/*/bin/psql -h postgres.internal -U shop -d postgres -Atc '{text}'"
        return podpy("exec", "client", "sh", "-c", ask).stdout.strip()

    wait.until(lambda: sql("select 6 * 7") == "42", what="the database answers")
    own = podpy.ok("inspect", "--format", "{{.NetworkSettings.Networks.net.IPAddress}}", "client")
    assert sql("select inet_client_addr()") == own
    sql("create table goods as select generate_series(1, 100000) as id")
    assert sql("select count(*), sum(id) from goods") == "100000|5000050000"
    assert len(sql("select id, md5(id::text) from goods").splitlines()) == 100000
