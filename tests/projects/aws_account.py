"""An AWS account by moto's server: stacks are created in it, the AWS CLI asks it.

Some kinds of resource are known to moto, and not, or not wholly, to its CloudFormation: here they are made
by the calls that CloudFormation would make, with the properties as it has resolved them.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import Role
from moto.s3.models import FakeBucket
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
KEYS |= {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
DIFFERENCE = parsing.ResourceMap.build_resource_diff
FOLLOWING = ("AWS::ECS::Service", "AWS::Scheduler::Schedule")
Calls = tuple[Callable[..., tuple[str, dict[str, str]]], Callable[..., None] | None]


class Account:
    """A new account: `client` speaks to it, `environment` is what a program has to be given for that."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        self._known = [
            _taught(self, kind, *calls) for kind, calls in MISSING.items()
        ]  # else they are forgotten
        FakeTargetGroup.get_cfn_attribute = _target_group  # by which CloudWatch knows them
        FakeLoadBalancer.get_cfn_attribute = _load_balancer
        Role.put_policy = _put_policy
        FakeBucket.get_permission = lambda *_: (
            PermissionResult.NEUTRAL
        )  # else the policy's condition, TLS, is taken for not met
        parsing.ResourceMap.build_resource_diff = _difference
        Stack.stack_resources = property(lambda stack: [*filter(None, stack.resource_map.values())])
        for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
            known.cache_clear()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a program finds the account."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | KEYS | {"AWS_ENDPOINT_URL": self.endpoint}

    def client(self, service: str, **keys: str) -> Any:
        """Return boto3's client of a service."""
        given = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} | keys
        return boto3.client(service, REGION, endpoint_url=self.endpoint, **given)

    def network(self) -> dict[str, str]:
        """Return the parameters of a stack that name what an account has before."""
        ec2, acm = self.client("ec2"), self.client("acm")
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
        return {
            "Vpc": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
            "Subnets": ",".join(subnets[:2]),
            "Certificate": acm.request_certificate(DomainName="flights.example.com")["CertificateArn"],
        }

    def parts(self, stack: str) -> dict[str, str]:
        """Return what the template calls each resource of a stack, and what it is called in the account."""
        found = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def policies(self, role: str) -> list[dict[str, Any]]:
        """Return every statement of the policies of a role."""
        iam = self.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return [statement for document in documents for statement in document["Statement"]]

    def permits(self, role: str, action: str, resource: str, **conditions: str) -> bool:
        """Tell whether a policy of a role allows an action, by moto's reading of it."""
        given = {name.replace("_", ":", 1): value for name, value in conditions.items()}
        found = (IAMPolicyStatement(each) for each in self.policies(role))
        answers = [each.is_action_permitted(action, resource, None, given) for each in found]
        return PermissionResult.PERMITTED in answers

    def stop(self) -> None:
        """End the server."""
        self._server.stop()


def _target_group(self: FakeTargetGroup, name: str) -> str:
    return {"TargetGroupFullName": self.arn.rpartition(":")[2]}[name]


def _load_balancer(self: FakeLoadBalancer, name: str) -> str:
    full = self.arn.rpartition(":")[2].removeprefix("loadbalancer/")
    return {"DNSName": self.dns_name, "LoadBalancerFullName": full}[name]


def _put_policy(self: Role, policy_name: str, policy: Any) -> None:
    """Keep a policy as what it is, JSON; moto's CloudFormation hands it on as Python."""
    self.policies[policy_name] = policy if isinstance(policy, str) else json.dumps(policy)


def _difference(self: parsing.ResourceMap, other: dict, parameters: dict | None = None) -> dict[str, list]:
    """Return what an update changes; moto's own overlooks what follows from another resource."""
    found = DIFFERENCE(self, other, parameters)
    found["Modify"] = [name for name in found["Modify"] if other["Resources"][name].get("Properties")]
    changed = {*found["Modify"], *other.get("Conditions", {})} if parameters else set(found["Modify"])
    for name, part in other["Resources"].items():
        follows = part["Type"] in FOLLOWING and any(f'"{each}"' in json.dumps(part) for each in changed)
        if follows and name not in found["Modify"]:
            found["Modify"].append(name)
    return found


def _taught(account: Account, kind: str, create: Callable, delete: Callable | None) -> type:
    """Return a class by which moto's CloudFormation makes resources of a kind by calls to the account."""

    class Known(CloudFormationModel):
        def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
            self.name, self._attributes = name, attributes

        @property
        def physical_resource_id(self) -> str:
            return self.name

        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @staticmethod
        def cloudformation_type() -> str:
            return kind

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return True

        def get_cfn_attribute(self, attribute: str) -> str:
            return self._attributes[attribute]

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, *_: Any, **__: Any):
            return cls(*create(account.client, resource_name, _plain(cloudformation_json["Properties"])))

        @classmethod
        def update_from_cloudformation_json(
            cls, original_resource, new_resource_name, cloudformation_json, *_, **__
        ):
            properties = _plain(cloudformation_json["Properties"])
            return cls(*create(account.client, original_resource.name, properties, update=True))

        @classmethod
        def delete_from_cloudformation_json(cls, resource_name, *_: Any) -> None:
            if delete:
                delete(account.client, resource_name)

    return Known


def _plain(value: Any) -> Any:
    """Return what CloudFormation has resolved, in plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def bucket(client, name, asked, update=False):
    s3, own = client("s3"), {"Bucket": name.lower()}
    if not update:
        s3.create_bucket(**own, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(**own, VersioningConfiguration=asked["VersioningConfiguration"])
    s3.put_public_access_block(**own, PublicAccessBlockConfiguration=asked["PublicAccessBlockConfiguration"])
    s3.put_bucket_ownership_controls(**own, OwnershipControls=asked["OwnershipControls"])
    given = asked["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = [{"ApplyServerSideEncryptionByDefault": each["ServerSideEncryptionByDefault"]} for each in given]
    s3.put_bucket_encryption(**own, ServerSideEncryptionConfiguration={"Rules": rules})
    kept = [
        {("ID" if key == "Id" else key): value for key, value in rule.items()} | {"Filter": {"Prefix": ""}}
        for rule in asked["LifecycleConfiguration"]["Rules"]
    ]
    s3.put_bucket_lifecycle_configuration(**own, LifecycleConfiguration={"Rules": kept})
    return own["Bucket"], {"Arn": f"arn:aws:s3:::{own['Bucket']}"}


def bucket_policy(client, name, asked, update=False):
    client("s3").put_bucket_policy(Bucket=asked["Bucket"], Policy=json.dumps(asked["PolicyDocument"]))
    return name, {}


def secret(client, name, asked, update=False):
    if update:
        return name, {}
    made = asked["GenerateSecretString"]
    key = client("secretsmanager").get_random_password(
        PasswordLength=made["PasswordLength"], ExcludePunctuation=made["ExcludePunctuation"]
    )
    value = json.loads(made["SecretStringTemplate"]) | {made["GenerateStringKey"]: key["RandomPassword"]}
    created = client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    return created["ARN"], {}


def _camel(value: Any) -> Any:
    """Return properties under the names that ECS's own calls have for them."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(each) for key, each in value.items()}
    return [_camel(each) for each in value] if isinstance(value, list) else value


def task(client, name, asked, update=False):
    made = client("ecs").register_task_definition(**_camel(asked))["taskDefinition"]
    return made["taskDefinitionArn"], {}


def service(client, name, asked, update=False):
    given = _camel(asked) | {"desiredCount": int(asked["DesiredCount"])}
    given |= {"healthCheckGracePeriodSeconds": int(asked["HealthCheckGracePeriodSeconds"])}
    if update:
        own = {key: given[key] for key in ("cluster", "taskDefinition", "desiredCount")}
        made = client("ecs").update_service(service=name.rpartition("/")[2], **own)["service"]
    else:
        made = client("ecs").create_service(serviceName=name, **given)["service"]
    return made["serviceArn"], {}


def without_service(client, name):
    cluster, own = name.split("/")[-2:]
    client("ecs").delete_service(cluster=cluster, service=own, force=True)


def repository(client, name, asked, update=False):
    ecr, own = client("ecr"), {"repositoryName": asked["RepositoryName"]}
    if not update:
        given = {"imageTagMutability": asked["ImageTagMutability"]}
        scan = {"imageScanningConfiguration": _camel(asked["ImageScanningConfiguration"])}
        ecr.create_repository(**own, **given, **scan)
    ecr.put_lifecycle_policy(**own, lifecyclePolicyText=asked["LifecyclePolicy"]["LifecyclePolicyText"])
    return asked["RepositoryName"], {}


def schedule(client, name, asked, update=False):
    scheduler = client("scheduler")
    target = asked["Target"]
    parameters = dict(target["EcsParameters"])
    network = parameters.pop("NetworkConfiguration")
    parameters["NetworkConfiguration"] = {"awsvpcConfiguration": network["AwsvpcConfiguration"]}
    given = asked | {"Target": {**target, "EcsParameters": parameters}}
    (scheduler.update_schedule if update else scheduler.create_schedule)(**given)
    return asked["Name"], {"Arn": scheduler.get_schedule(Name=asked["Name"])["Arn"]}


def topic_policy(client, name, asked, update=False):
    for topic in asked["Topics"]:
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(asked["PolicyDocument"])
        )
    return name, {}


def alarm(client, name, asked, update=False):
    client("cloudwatch").put_metric_alarm(AlarmName=name, **asked)
    return name, {}


def role_policy(client, name, asked, update=False):
    client("iam").put_role_policy(**asked | {"PolicyDocument": json.dumps(asked["PolicyDocument"])})
    return name, {}


def oidc_provider(client, name, asked, update=False):
    if update:
        return name, {}
    given = {"Url": asked["Url"], "ClientIDList": asked["ClientIdList"], "ThumbprintList": ["0" * 40]}
    return client("iam").create_open_id_connect_provider(**given)["OpenIDConnectProviderArn"], {}


def _without(service: str, verb: str, parameter: str) -> Callable[..., None]:
    return lambda client, name: getattr(client(service), verb)(**{parameter: name})


MISSING: dict[str, Calls] = {
    "AWS::S3::Bucket": (bucket, _without("s3", "delete_bucket", "Bucket")),
    "AWS::S3::BucketPolicy": (bucket_policy, None),
    "AWS::ECR::Repository": (repository, None),
    "AWS::ECS::TaskDefinition": (task, None),
    "AWS::ECS::Service": (service, without_service),
    "AWS::SecretsManager::Secret": (secret, _without("secretsmanager", "delete_secret", "SecretId")),
    "AWS::Scheduler::Schedule": (schedule, _without("scheduler", "delete_schedule", "Name")),
    "AWS::SNS::TopicPolicy": (topic_policy, None),
    "AWS::CloudWatch::Alarm": (
        alarm,
        lambda client, name: client("cloudwatch").delete_alarms(AlarmNames=[name]),
    ),
    "AWS::IAM::RolePolicy": (role_policy, None),
    "AWS::IAM::OIDCProvider": (oidc_provider, None),
}
