"""The logic of the small program from which the idea comes, in the best form that its language allows: a loop over one
connection to SQLite instead of a start for each request. One network a user, exact user names, no sets, no expiry."""
import ipaddress
import sqlite3
import sys

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).cursor()
source = open(0, "rb", buffering=65536)
answer = open(1, "wb", buffering=0)
attributes = {}
for line in source:
    name, _, value = line.decode().rstrip("\n").partition("=")
    if name:
        attributes[name] = value
        continue
    action = "dunno"
    user = attributes.get("sasl_username", "")
    if user:
        row = database.execute("select network from access where user = ?", (user,)).fetchone()
        address = attributes["client_address"]
        if row is None or ipaddress.ip_address(address) not in ipaddress.ip_network(row[0]):
            action = f"reject 5.7.1 {user} may not send mail from {address}"
    answer.write(f"action={action}\n\n".encode())
    attributes = {}
