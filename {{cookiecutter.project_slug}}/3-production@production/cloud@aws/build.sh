#!/usr/bin/env bash
# Builds the image of this commit, puts it into the registry, and prints its digest. A commit is built once.
# Needs docker and the AWS CLI, with rights to push.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "$(git status --porcelain .)" ] || { echo "there are changes that no commit has: commit them first" >&2; exit 1; }
name={{ cookiecutter.project_slug }} commit=$(git rev-parse HEAD)
digest() {
    aws ecr describe-images --repository-name "$name" --image-ids imageTag="$commit" --output text \
        --query 'imageDetails[0].imageDigest'
}

if ! digest 2>/dev/null; then
    registry=$(aws ecr describe-repositories --repository-names "$name" --output text \
        --query 'repositories[0].repositoryUri')
    aws ecr get-login-password | docker login --username AWS --password-stdin "${registry%%/*}" >&2
    docker build --platform linux/amd64 --file 3-production/Dockerfile --tag "$registry:$commit" . >&2
    docker push --quiet "$registry:$commit" >&2
    digest
fi
