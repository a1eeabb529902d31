#!/usr/bin/env bash
# Builds the images sgw-scanner:plain and sgw-scanner:full with buildah, on a base of Debian's packages: no registry is
# asked. Needs buildah and mmdebstrap, and root or user namespaces. Further arguments go to `buildah build`.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${SUITE:-bookworm}
base=localhost/sgw-scanner-base
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  mmdebstrap --variant=minbase --include=python3-minimal,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' "$suite" "$scratch/base.tar"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$scratch/base.tar" /
  buildah commit --quiet --rm "$container" "$base"
fi
for extras in plain full; do
  buildah build --file Containerfile --build-arg EXTRAS="$extras" --build-arg BASE="$base" \
    --tag "sgw-scanner:$extras" "$@" .
done
