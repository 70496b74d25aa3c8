#!/usr/bin/env bash
# CI's stage for the TensorFlow engine on the CPU: makes it against the TensorFlow of a PyPI wheel, and holds it to the
# cpu engine. Where that TensorFlow cannot be had, the tests say that they are ignored, and why.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.triptych/tensorflow-cpu
install() {
  [ -x $venv/bin/pip ] || python3 -m venv $venv
  # The libraries and headers are all that is needed of it.
  $venv/bin/pip install --quiet --no-deps tensorflow-cpu==2.21.0
}
if install; then npx --yes deno@2.9.6 task engine node --tensorflow $venv
else echo "The TensorFlow engine is not tested: tensorflow-cpu cannot be installed from PyPI here."
fi
npx --yes deno@2.9.6 test --allow-all --quiet test/parity/node_test.ts test/integration/engines
