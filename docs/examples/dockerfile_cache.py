"""Twenty edits of a Node project: what the naive Dockerfile costs, and what one costs that knows the cache."""

import layersim as ls

NAIVE = """\
FROM node:20
WORKDIR /srv/shop
COPY . .
RUN npm ci
RUN npm run build
RUN chown -R node /srv/shop/dist
CMD ["node", "dist/server.js"]
"""

PROJECT = {
    "package.json": 1_200,
    "package-lock.json": 310_000,
    "README.md": 4_000,
    "test/cart.test.js": 9_000,
    **{f"src/{name}.js": 8_000 for name in ("server", "cart", "catalogue", "checkout", "mail")},
}

# What each command reads, writes and takes. Nothing is executed.
COMMANDS = ls.runs(
    {
        "npm ci": ls.effect(
            files={"node_modules": (900, "85MB")}, uses=["package.json", "package-lock.json"], seconds=38
        ),
        "npm run build": ls.effect(
            writes={"dist/server.js": "2MB"}, uses=["package.json", "src", "node_modules"], seconds=11
        ),
        "chown": ls.effect(owners={"dist/*": 1000}, seconds=1),
    }
)

# Most edits touch sources, two the dependencies, some nothing that a command reads.
EDITS = [["src/cart.js"], ["src/mail.js", "test/cart.test.js"], ["README.md"], ["src/checkout.js"]] * 5
EDITS[7] = ["package.json", "package-lock.json"]
EDITS[15] = ["package-lock.json"]

found = ls.suggest(NAIVE, PROJECT, EDITS, run=COMMANDS, bases={"node:20": "190MB"})
best = found.best
if best is None:
    raise SystemExit("there is nothing better")

told = ls.replay(
    {"naive": NAIVE, "suggested": best.text}, EDITS, context=PROJECT, run=best.run, bases={"node:20": "190MB"}
)
print(told.summary)
print()
for suggestion in found:
    print(suggestion)
print("All together")
print(best.diff, end="")
