#!/usr/bin/env bash
# CI's stage for the TensorFlow engine on the CPU: makes it against the TensorFlow of a PyPI wheel, and holds it to the
# cpu engine. TensorFlow and what is made stay under .triptych/ for the next run.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.triptych/tensorflow-cpu
[ -x $venv/bin/pip ] || python3 -m venv $venv
# The libraries and headers are all that is needed of it.
$venv/bin/pip install --quiet --no-deps tensorflow-cpu==2.21.0

deno task engine node --tensorflow $venv
deno test --allow-all --quiet test/parity/node_test.ts test/integration/engines
