EXTRA_DIST += scripts/check scripts/lib.sh scripts/quickstart scripts/tally
