#!/usr/bin/env bash
# Makes an image run in staging or live, and waits until it does: bash deploy.sh ENVIRONMENT sha256:DIGEST
# The way back is the same command, with the digest that the last one has printed. Needs gcloud, and GCP_REGION.
set -euo pipefail

name={{ cookiecutter.project_slug }} digest=${2:-} region=${GCP_REGION:?is not set}
if ! [[ ${1:-} =~ ^(staging|live)$ && $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "usage: bash $0 staging|live sha256:DIGEST, as build.sh has printed it" >&2
    exit 2
fi
image=$region-docker.pkg.dev/$(gcloud config get-value project 2>/dev/null)/$name/$name
gcloud artifacts docker images describe "$image@$digest" --format='value(image_summary.digest)' >/dev/null
{% if 'fastapi' in cookiecutter.__chosen %}
before=$(gcloud run services describe "$name-$1" --region "$region" --format='value(spec.template.spec.containers[0].image)')
# An instance has to answer /ready before it is given requests; where none does, all stays as it was.
gcloud run services update "$name-$1" --region "$region" --image "$image@$digest" --quiet
{% else %}
before=$(gcloud run jobs describe "$name-$1" --region "$region" \
    --format='value(spec.template.spec.template.spec.containers[0].image)')
{% endif %}
{% if 'batch' in cookiecutter.__chosen or 'operation' in cookiecutter.__chosen %}
gcloud run jobs update "$name-$1" --region "$region" --image "$image@$digest" --quiet
{% endif %}
echo "$name-$1 runs $digest; before: ${before#*@}"
