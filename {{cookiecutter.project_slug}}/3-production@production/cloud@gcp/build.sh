#!/usr/bin/env bash
# Builds the image of this commit, puts it into the registry, and prints its digest. A commit is built once.
# Needs docker and gcloud, with rights to push; and GCP_REGION.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "$(git status --porcelain .)" ] || { echo "there are changes that no commit has: commit them first" >&2; exit 1; }
commit=$(git rev-parse HEAD) host=${GCP_REGION:?is not set}-docker.pkg.dev
image=$host/$(gcloud config get-value project 2>/dev/null)/{{ cookiecutter.project_slug }}/{{ cookiecutter.project_slug }}
digest() { gcloud artifacts docker images describe "$image:$commit" --format='value(image_summary.digest)'; }

if ! digest 2>/dev/null; then
    gcloud auth configure-docker "$host" --quiet >&2
    docker build --platform linux/amd64 --file 3-production/Dockerfile --tag "$image:$commit" . >&2
    docker push --quiet "$image:$commit" >&2
    digest
fi
