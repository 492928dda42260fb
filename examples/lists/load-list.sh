#!/bin/sh -e
curl --fail --silent --show-error --output /var/lib/allow-nets/home.list "$1"
allow-nets set load home /var/lib/allow-nets/home.list --country DE
