"""The embedded example: `web-ping` on a Node.js base, and ten more applications on three bases."""

from __future__ import annotations

import json
from datetime import timedelta

from layersim._core import mkdir, remove, write
from layersim.demo.bases import debian, filled, nginx, node, python
from layersim.demo.recipe import Recipe, Step

APP_JS = b"""\
// web-ping: asks a site every few seconds whether it is there, and how long it took.
// TARGET, METHOD and INTERVAL come from the environment of the image.
const https = require("https");

const options = {
  hostname: process.env.TARGET,
  method: process.env.METHOD,
};
const interval = Number(process.env.INTERVAL);

console.log("web-ping: %s %s every %d ms", options.method, options.hostname, interval);

function ping() {
  const start = Date.now();
  const request = https.request(options, (response) => {
    const took = Date.now() - start;
    console.log("%s answered %d after %d ms", options.hostname, response.statusCode, took);
    response.resume();
  });
  request.on("error", (error) => {
    console.error("%s did not answer: %s", options.hostname, error.message);
  });
  request.end();
}

ping();
setInterval(ping, interval);
"""
"""The application of the story: 846 bytes."""

WEB_PING = "web-ping:latest"
"""What the story's image is called."""


def _workdir(path: str) -> Step:
    return Step(f"WORKDIR {path}", (mkdir(path),), {"WorkingDir": path})


def _environment(setting: str) -> Step:
    return Step(f"ENV {setting}", environment=setting)


def _command(*words: str) -> Step:
    spelled = " ".join(json.dumps(word) for word in words)
    return Step(f"CMD [{spelled}]", settings={"Cmd": list(words)})


def _copy(source: str, target: str, size: int) -> Step:
    return Step(f"COPY {source} . # buildkit", (filled(f"{target}/{source}", size),))


def _web_ping(base: Recipe) -> Recipe:
    return Recipe(
        tag=WEB_PING,
        age=timedelta(minutes=10),
        base=base,
        steps=(
            _environment("TARGET=blog.sixeyed.com"),
            _environment("METHOD=HEAD"),
            _environment("INTERVAL=3000"),
            _workdir("/web-ping"),
            Step("COPY app.js . # buildkit", (write("/web-ping/app.js", APP_JS),)),
            _command("node", "/web-ping/app.js"),
        ),
    )


def _node_service(base: Recipe, name: str, minutes: int, packages: int, source: int) -> Recipe:
    packed = (mkdir("/app/node_modules"), filled("/app/node_modules/bundle.js", packages))
    steps = (
        _workdir("/app"),
        _copy("package.json", "/app", 412),
        Step("RUN /bin/sh -c npm ci --omit=dev # buildkit", packed),
        _copy("server.js", "/app", source),
        _command("node", "server.js"),
    )
    return Recipe(f"{name}:latest", timedelta(minutes=minutes), steps, base)


def _python_service(base: Recipe, name: str, minutes: int, packages: int, source: int) -> Recipe:
    installed = filled(f"/usr/local/lib/python3.13/site-packages/{name}.so", packages)
    steps = (
        _workdir("/app"),
        _copy("requirements.txt", "/app", 96),
        Step("RUN /bin/sh -c pip install -r requirements.txt # buildkit", (installed,)),
        _copy("main.py", "/app", source),
        _command("python3", "main.py"),
    )
    return Recipe(f"{name}:latest", timedelta(minutes=minutes), steps, base)


def _site(base: Recipe, name: str, minutes: int, pages: int) -> Recipe:
    root = "/usr/share/nginx/html"
    steps = (
        Step(f"RUN /bin/sh -c rm {root}/index.html # buildkit", (remove(f"{root}/index.html"),)),
        Step(f"COPY site.html {root}/ # buildkit", (filled(f"{root}/site.html", pages),)),
    )
    return Recipe(f"{name}:latest", timedelta(minutes=minutes), steps, base)


def example() -> tuple[list[Recipe], list[Recipe]]:
    """Make the recipes of the story.

    Returns
    -------
    tuple of list of Recipe
        `web-ping` and its base; then two other bases, and ten more applications: four on the base of
        `web-ping`, three on Python and three on nginx. Their files are some 100 MB of memory.
    """
    below = debian()
    on_node, on_python, on_nginx = node(below), python(below), nginx()
    applications = [
        _node_service(on_node, "access-log", 9, 1_204_224, 3_871),
        _node_service(on_node, "order-desk", 8, 3_440_640, 18_220),
        _python_service(on_python, "thumbnailer", 8, 4_915_200, 6_104),
        _site(on_nginx, "landing-page", 7, 212_992),
        _node_service(on_node, "chat-relay", 6, 884_736, 9_377),
        _python_service(on_python, "mail-digest", 5, 1_310_720, 4_960),
        _site(on_nginx, "handbook", 5, 1_703_936),
        _node_service(on_node, "price-feed", 4, 2_146_304, 7_045),
        _python_service(on_python, "forecast", 3, 6_225_920, 11_412),
        _site(on_nginx, "status-board", 2, 98_304),
    ]
    return [on_node, _web_ping(on_node)], [on_python, on_nginx, *applications]
