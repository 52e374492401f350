#!/usr/bin/env bash
# Makes an image run in staging or live, and waits until it does: bash deploy.sh ENVIRONMENT sha256:DIGEST
# The way back is the same command, with the digest that the last one has printed.
set -euo pipefail

name={{ cookiecutter.project_slug }} digest=${2:-}
stack=$name-${1:-}
if ! [[ ${1:-} =~ ^(staging|live)$ && $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "usage: bash $0 staging|live sha256:DIGEST, as build.sh has printed it" >&2
    exit 2
fi
said() { aws cloudformation describe-stacks --stack-name "$stack" --output text --query "Stacks[0].$1"; }

registry=$(aws ecr describe-repositories --repository-names "$name" --output text \
    --query 'repositories[0].repositoryUri')
aws ecr describe-images --repository-name "$name" --image-ids imageDigest="$digest" >/dev/null
before=$(said "Parameters[?ParameterKey=='Image'].ParameterValue")
if [ "$before" = "$registry@$digest" ]; then
    echo "$stack runs $digest already"
    exit
fi
parameters=("ParameterKey=Image,ParameterValue=$registry@$digest")
for key in $(said "Parameters[?ParameterKey!='Image'].ParameterKey"); do
    parameters+=("ParameterKey=$key,UsePreviousValue=true")
done
aws cloudformation update-stack --stack-name "$stack" --use-previous-template \
    --capabilities CAPABILITY_IAM --parameters "${parameters[@]}" >/dev/null
aws cloudformation wait stack-update-complete --stack-name "$stack" || {
    echo "$stack could not be brought to $digest, and goes on as before; why: the events of the stack" >&2
    exit 1
}
before=${before#*@}
echo "$stack runs $digest; before: ${before:-nothing}"
