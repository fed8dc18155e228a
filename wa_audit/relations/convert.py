"""Conversions: what stands in a field, as the ARNs of what it names.

Each is a function of the value, the resource that it stands in, and the inventory, and yields ARNs; where
nothing is named, none. A value that is computed as something runs names nothing that can be known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wa_audit.aws import arns, patterns, policy, references, states
from wa_audit.aws.watching import watched
from wa_audit.inventory import Inventory
from wa_audit.model import Resource, Unread
from wa_audit.relations.rows import Row

Conversion = Callable[[Any, Resource, Inventory], Iterator[str]]


def services(row: Row) -> tuple[str, ...]:
    """The services that a row's targets can be of, as ARNs spell them; empty where they can be any."""
    return tuple((row.to or _SERVICES.get(row.target.partition("|")[2], "")).split())


def _arn(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("arn:"):
        yield arns.whole(value)


def _bucket(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        return
    location = arns.s3_location(value)
    name = location.bucket if location else "" if ":" in value or "/" in value else value
    if name:
        yield inventory.arn_near("AWS::S3::Bucket", name, resource)


def _role(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        return
    if value.startswith("arn:"):
        # An EC2 instance profile bears, by the console's convention, the name of the role in it.
        yield value.replace(":instance-profile/", ":role/")
    else:
        yield f"arn:{inventory.run.partition}:iam::{resource.account}:role/{value}"


def _roles(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The roles with which a stream delivers, or an IoT rule sends: one in each description."""
    for place in value if isinstance(value, list) else [value]:
        for description in place.values() if isinstance(place, dict) else ():
            if isinstance(description, dict):
                yield from _arn(description.get("RoleARN") or description.get("roleArn"), resource, inventory)


def _role_within(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The role in Redshift Serverless's text `IamRole(applyStatus=in-sync, iamRoleArn=arn:…)`, or the ARN."""
    if isinstance(value, str) and (found := re.search(r"arn:[^\s,()]+", value)):
        yield found[0]


def _key(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    # What a serverless namespace is encrypted with where nobody chose a key.
    if not isinstance(value, str) or value in ("", "AWS_OWNED_KMS_KEY"):
        return
    if value.startswith("arn:"):
        yield value
    else:
        type_ = "AWS::KMS::Alias" if value.startswith("alias/") else "AWS::KMS::Key"
        yield inventory.arn_near(type_, value.removeprefix("alias/"), resource)


def _named(type_: str) -> Conversion:
    """A name as an ARN in the resource's own region; what is an ARN already stays one."""

    def convert(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
        if isinstance(value, str) and value:
            yield (
                arns.whole(value) if value.startswith("arn:") else inventory.arn_near(type_, value, resource)
            )

    return convert


def _shared(type_: str) -> Conversion:
    """What of EC2 is named by its id: of this account or, where one shares its network, of another."""

    def convert(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
        if isinstance(value, str) and value:
            found = inventory.named(type_, value, resource.region)
            yield found.arn if found else inventory.arn_near(type_, value, resource)

    return convert


def _taskdef(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A task definition by its family: the revision changes with every deployment."""
    for arn in _named("AWS::ECS::TaskDefinition")(value, resource, inventory):
        yield re.sub(r"(:task-definition/[^:]+):\d+$", r"\1", arn)


def _replica(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    if isinstance(value, str) and value != resource.region:
        yield resource.arn.replace(f":{resource.region}:", f":{value}:", 1)


def _endpoint(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("https://"):
        yield value


def _database(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A database that a delivery stream follows: `mysql://host:3306`."""
    source = value if isinstance(value, dict) else {}
    if source.get("Type") and source.get("Endpoint"):
        port = f":{source['Port']}" if source.get("Port") else ""
        yield f"{str(source['Type']).lower()}://{source['Endpoint']}{port}"


# -- structures ------------------------------------------------------------------------------------


def _functions(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """Every Lambda function that is named by its ARN anywhere within a value."""
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _functions(child, resource, inventory)
    elif isinstance(value, str) and arns.parse(value).service == "lambda":
        yield arns.whole(value)


def _dead_letters(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    for source in value.values() if isinstance(value, dict) else ():
        if isinstance(source, dict) and isinstance(source.get("DeadLetterConfig"), dict):
            yield from _arn(source["DeadLetterConfig"].get("Arn"), resource, inventory)


def _brokers(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A Kafka of one's own, by the first of its brokers."""
    endpoints = value.get("Endpoints") if isinstance(value, dict) else None
    brokers = endpoints.get("KAFKA_BOOTSTRAP_SERVERS") if isinstance(endpoints, dict) else None
    if isinstance(brokers, list) and brokers:
        yield f"kafka://{min(map(str, brokers))}"


def _stream(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A pipe's source: an ARN, or `smk://host:port` for a Kafka of one's own."""
    if isinstance(value, str) and value.startswith("smk://"):
        yield "kafka://" + value.removeprefix("smk://").split(",")[0]
    else:
        yield from _arn(value, resource, inventory)


def _iceberg(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    tables = value.get("DestinationTableConfigurationList") if isinstance(value, dict) else None
    for table in tables if isinstance(tables, list) else ():
        database, name = table.get("DestinationDatabaseName"), table.get("DestinationTableName")
        if database and name:
            yield inventory.arn_near("AWS::Glue::Table", f"{database}/{name}", resource)


# https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-actions.html
_IOT = {
    "dynamoDB": ("tableName", "table"),
    "dynamoDBv2": ("putItem.tableName", "table"),
    "firehose": ("deliveryStreamName", "deliverystream"),
    "iotEvents": ("inputName", ""),
    "kafka": ("destinationArn", ""),
    "kinesis": ("streamName", "streamname"),
    "lambda": ("functionArn", ""),
    "openSearch": ("endpoint", "endpoint"),
    "s3": ("bucketName", "bucket"),
    "sns": ("targetArn", ""),
    "sqs": ("queueUrl", "queue"),
    "stepFunctions": ("stateMachineName", "statemachine"),
}


def _iot(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """Where the actions of an IoT rule, or its one error action, send to."""
    for action in value if isinstance(value, list) else [value]:
        for name, settings in action.items() if isinstance(action, dict) else ():
            path, what = _IOT.get(name, ("", ""))
            found: Any = settings
            for step in path.split(".") if path else ():
                found = found.get(step) if isinstance(found, dict) else None
            if path and isinstance(found, str):
                yield from _name(what, found, resource, inventory)


def _name(what: str, name: str, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A name of a known sort as an ARN, where it is written out and not computed."""
    if "${" in name:
        return
    if what == "queue":
        yield from _queue(name, resource, inventory)
    elif what in _NAMED and not name.startswith("arn:"):
        yield from CONVERSIONS[what](name, resource, inventory)
    else:
        yield from CONVERSIONS.get(what, _arn)(name, resource, inventory)


def _queue(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    found = references.queue_arn(str(value), inventory.run.partition, resource.region)
    if found:
        yield found
    else:
        yield from _arn(value, resource, inventory)


def _location(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A DataSync location: the bucket that it stands for, or itself where it is no bucket."""
    found = inventory.get(str(value))
    uri = str(found.data.get("LocationUri") or "") if found else ""
    if uri.startswith("s3://"):
        yield from _bucket(uri, resource, inventory)
    else:
        yield from _arn(value, resource, inventory)


def _dms(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A DMS endpoint: the bucket or stream that it stands for, or itself where it is a database."""
    found = inventory.get(str(value))
    data = found.data if found else {}
    bucket = (data.get("S3Settings") or {}).get("BucketName")
    stream = (data.get("KinesisSettings") or {}).get("StreamArn")
    if bucket:
        yield from _bucket(bucket, resource, inventory)
    else:
        yield from _arn(stream or value, resource, inventory)


def _quicksight(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """What a QuickSight data source queries."""
    for kind, settings in value.items() if isinstance(value, dict) else ():
        given = settings if isinstance(settings, dict) else {}
        if kind == "AthenaParameters" and settings is not None:
            name = given.get("WorkGroup") or "primary"
            yield inventory.arn_near("AWS::Athena::WorkGroup", name, resource)
        elif kind == "RedshiftParameters" and given.get("ClusterId"):
            yield inventory.arn_near("AWS::Redshift::Cluster", given["ClusterId"], resource)
        elif kind == "RedshiftParameters" and (host := references.of("Host", given.get("Host"))):
            yield _warehouse(host, inventory)
        elif kind == "RdsParameters" and given.get("InstanceId"):
            yield inventory.arn_near("AWS::RDS::DBInstance", given["InstanceId"], resource)
        elif kind == "S3Parameters":
            manifest = given.get("ManifestFileLocation")
            yield from _bucket((manifest or {}).get("Bucket"), resource, inventory)


def _namespace(value: Any, share: Resource, inventory: Inventory) -> Iterator[str]:
    """The Redshift cluster of a namespace; of a serverless or another account's, the namespace itself."""
    if isinstance(value, str) and value.startswith("arn:"):
        for cluster in inventory.known("AWS::Redshift::Cluster"):
            if cluster["ClusterNamespaceArn"] == value:
                yield cluster.arn
                return
        yield value


def _consumer(value: Any, share: Resource, inventory: Inventory) -> Iterator[str]:
    """Whom data is shared with: a namespace, or an account, which its root stands for."""
    if isinstance(value, str) and re.fullmatch(r"\d{12}", value):
        yield f"arn:{inventory.run.partition}:redshift:{share.region}:{value}:namespace:*"
    else:
        yield from _namespace(value, share, inventory)


def _connector(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """What an MSK Connect connector is set to write to or read from, beside Kafka."""
    settings = value if isinstance(value, dict) else {}
    yield from _bucket(settings.get("s3.bucket.name"), resource, inventory)
    yield from _named("AWS::Kinesis::Stream")(settings.get("kinesis.stream"), resource, inventory)


def _broker(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The MSK cluster of `b-1.orders.a1b2c3.c4.kafka.eu-west-1.amazonaws.com:9098`, or a Kafka of one's own.

    https://docs.aws.amazon.com/msk/latest/developerguide/msk-get-bootstrap-brokers.html
    """
    if not isinstance(value, str) or not value:
        return
    first = value.split(",")[0]
    labels = first.split(".")
    if ".kafka" in first and ".amazonaws." in first and len(labels) > 1:
        for cluster in inventory.known("AWS::MSK::Cluster"):
            if cluster.region == resource.region and cluster.name.lower() == labels[1].lower():
                yield cluster.arn
                return
    yield f"kafka://{first}"


def _references(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """What the collector has kept of settings' values: what they refer to; see `aws.references`.

    A bare name counts only where there is such a resource. Raises Unread, after all that is certain, where
    nobody knows.
    """
    unknown: Unread | None = None
    for found in resource.data.get(references.FIELD) or ():
        arn, type_ = references.arn(found, inventory.run.partition, resource.region, resource.account)
        try:
            if arn.startswith("redshift://"):
                yield _warehouse(arn, inventory)
            elif arn and (not type_ or inventory.find(type_, arn) is not None):
                yield arn
        except Unread as unread:
            unknown = unread
    if unknown:
        raise unknown


def _through(value: Any, job: Resource, inventory: Inventory) -> Iterator[str]:
    """The Redshift or Kafka that a job reaches through a connection."""
    connection = inventory.named("AWS::Glue::Connection", str(value), job.region)
    if connection is None:
        return
    for found in connection.data.get(references.FIELD) or ():
        if found.startswith("redshift://"):
            yield _warehouse(found, inventory)
    brokers = (connection.data.get("ConnectionProperties") or {}).get("KAFKA_BOOTSTRAP_SERVERS")
    yield from _broker(brokers, connection, inventory)


def _warehouse(endpoint: str, inventory: Inventory) -> str:
    """The cluster or workgroup of `redshift://name.id.region.redshift.amazonaws.com`; the endpoint itself
    where this account and these regions have none of the name.

    Raises:
        Unread: nobody could look.
    """
    name, _, region, service = endpoint.removeprefix("redshift://").split(".")[:4]
    serverless = service == "redshift-serverless"
    type_ = "AWS::RedshiftServerless::Workgroup" if serverless else "AWS::Redshift::Cluster"
    found = inventory.named(type_, name, region)
    if found is not None:
        return found.arn
    for gap in inventory.list_gaps(type_):
        if gap.region in ("", region):
            raise Unread(gap)
    return endpoint


def _secret(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """A secret of AWS Secrets Manager by its name or ARN, each with or without what is added to it.

    AWS ends an ARN in a hyphen and six characters of its own, which may be left out, and ECS lets a key and a
    version of the secret follow:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    if not isinstance(value, str) or not value:
        return
    arn = arns.parse(value)
    if arn.service not in ("", "secretsmanager"):
        return
    named = inventory.arn_near("AWS::SecretsManager::Secret", value, resource)
    whole = ":".join(value.split(":")[:7]) if arn.service else named
    yield inventory.derived("secrets", lambda: _secrets(inventory)).get(whole, whole)


def _secrets(inventory: Inventory) -> dict[str, str]:
    """The ARN of every secret, by itself and by what it is without the six characters at its end."""
    known = [secret.arn for secret in inventory.known("AWS::SecretsManager::Secret")]
    return {arn[:-7]: arn for arn in known} | {arn: arn for arn in known}


# -- what may be touched, and how it is reached ------------------------------------------------------

_READS = re.compile(
    r"[\w-]+:(?:Get|List|Describe|Scan|Query|Receive|Read|BatchGet|Select|Head|ConditionCheck)"
)


def _allowed(*, writes: bool) -> Conversion:
    """What a role's inline or attached policies allow to read or to write, where a statement names it.

    An action that no reading verb begins writes; one with a wildcard does both.
    """

    def convert(value: Any, role: Resource, inventory: Inventory) -> Iterator[str]:
        for row in value if isinstance(value, list) else ():
            document = row.get("PolicyDocument")
            if attached := row.get("PolicyArn"):
                found = inventory.get(attached)
                document = found.data.get("Document") if found else None
            for arn, actions in policy.named(document).items():
                if any(_does(action, writes=writes) for action in actions):
                    yield arn

    return convert


def _does(action: str, *, writes: bool) -> bool:
    reads = _READS.match(action) is not None
    whole = action.endswith("*") and not reads
    return whole or reads is not writes


def _endpoints(value: Any, function: Resource, inventory: Inventory) -> Iterator[str]:
    """The available endpoints of a function's VPC."""
    vpc = value.get("VpcId") if isinstance(value, dict) else None
    for endpoint in inventory.known("AWS::EC2::VPCEndpoint") if vpc else ():
        if (
            endpoint.region == function.region
            and endpoint["VpcId"] == vpc
            and endpoint["State"] == "available"
        ):
            yield endpoint.arn


def _subnet_group(value: Any, cluster: Resource, inventory: Inventory) -> Iterator[str]:
    """The subnets of a Redshift cluster: of its subnet group those in its zone, or all where it spans two."""
    for group in inventory.known("AWS::Redshift::ClusterSubnetGroup"):
        if group.region == cluster.region and group.name == value:
            for row in group["Subnets"] or ():
                if (
                    str(cluster["MultiAZ"]).lower() == "enabled"
                    or row["AvailabilityZone"] == cluster["AvailabilityZone"]
                ):
                    yield from CONVERSIONS["subnet"](row["SubnetIdentifier"], cluster, inventory)


# -- state machines --------------------------------------------------------------------------------


def _called(effect: states.Effect) -> Conversion:
    """What the Tasks of a definition start, write to or read from, where it is named: a computed name is
    known only as the machine runs."""

    def convert(definition: Any, machine: Resource, inventory: Inventory) -> Iterator[str]:
        for what, name in states.effects(definition, effect):
            if what == "function":
                yield _function(name, machine, inventory)
            elif what == "queue":
                yield from _queue(name, machine, inventory)
            else:
                yield from CONVERSIONS[what](name, machine, inventory)

    return convert


def _function(name: str, machine: Resource, inventory: Inventory) -> str:
    """A function's ARN from what Lambda takes for a name: `name:alias`, `account:function:name`, an ARN."""
    if name.startswith("arn:"):
        return arns.whole(name)
    owner, infix, rest = name.rpartition("function:")
    plain = (rest if infix else name).partition(":")[0]
    place = f"arn:{inventory.run.partition}:lambda:{machine.region}"
    return f"{place}:{owner.strip(':') or machine.account}:function:{plain}"


# -- events ----------------------------------------------------------------------------------------


def _matched(pattern: Any, rule: Resource, inventory: Inventory) -> Iterator[str]:
    """What a rule's events come from, where its pattern names it; what it hears of failures alone is not
    what it is triggered by."""
    bus = str(rule.data.get("EventBusName") or "default").rpartition("/")[2]
    if bus != "default":
        yield inventory.arn_near("AWS::Events::EventBus", bus, rule)
    if not patterns.only_failures(pattern):
        yield from _sources(pattern, rule, inventory)


def _failures(pattern: Any, rule: Resource, inventory: Inventory) -> Iterator[str]:
    if patterns.only_failures(pattern):
        yield from _sources(pattern, rule, inventory)


def _sources(pattern: Any, rule: Resource, inventory: Inventory) -> Iterator[str]:
    for what, name in patterns.names(pattern):
        yield from CONVERSIONS[what](name, rule, inventory)
    if patterns.speaks_of_objects(pattern):
        for bucket in inventory.known("AWS::S3::Bucket"):
            # Raises where nobody knows whether the bucket tells EventBridge.
            tells = (bucket["Notifications"] or {}).get("EventBridgeConfiguration") is not None
            if tells and bucket.region == rule.region and patterns.accepts_bucket(pattern, bucket.name):
                yield bucket.arn


# -- what is about other resources -----------------------------------------------------------------


def _watched(alarm: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """What an alarm's metrics are of."""
    yield from watched(resource, inventory.run.partition)


def _built(value: Any, stack: Resource, inventory: Inventory) -> Iterator[str]:
    """What a stack holds: CloudFormation knows most resources by a name, some by an ARN or a URL."""
    for row in value if isinstance(value, list) else ():
        physical = row.get("PhysicalResourceId") if isinstance(row, dict) else None
        if not isinstance(physical, str) or row.get("ResourceStatus") == "DELETE_COMPLETE":
            continue
        if physical.startswith("arn:"):
            yield arns.whole(physical)
        else:
            found = inventory.named(str(row.get("ResourceType")), physical.rpartition("/")[2], stack.region)
            if found is not None:
                yield found.arn


_NAMED: Mapping[str, str] = {
    "application": "AWS::EMRServerless::Application",
    "cluster": "AWS::EMR::Cluster",
    "connection": "AWS::Glue::Connection",
    "crawler": "AWS::Glue::Crawler",
    "database": "AWS::Glue::Database",
    "deliverystream": "AWS::KinesisFirehose::DeliveryStream",
    "eventbus": "AWS::Events::EventBus",
    "job": "AWS::Glue::Job",
    "loggroup": "AWS::Logs::LogGroup",
    "redshift": "AWS::Redshift::Cluster",
    "secconf": "AWS::Glue::SecurityConfiguration",
    "statemachine": "AWS::StepFunctions::StateMachine",
    "streamname": "AWS::Kinesis::Stream",
    "table": "AWS::DynamoDB::Table",
    "topic": "AWS::SNS::Topic",
    "workflow": "AWS::Glue::Workflow",
    "workgroup": "AWS::Athena::WorkGroup",
}

CONVERSIONS: dict[str, Conversion] = {
    **{what: _named(type_) for what, type_ in _NAMED.items()},
    "arn": _arn,
    "bucket": _bucket,
    "broker": _broker,
    "brokers": _brokers,
    "built": _built,
    "connector": _connector,
    "consumer": _consumer,
    "namespace": _namespace,
    "deadletters": _dead_letters,
    "dms": _dms,
    "endpoint": _endpoint,
    "endpoints": _endpoints,
    "failures": _failures,
    "followed": _database,
    "functions": _functions,
    "group": _shared("AWS::EC2::SecurityGroup"),
    "iceberg": _iceberg,
    "iot": _iot,
    "key": _key,
    "location": _location,
    "matched": _matched,
    "quicksight": _quicksight,
    "readable": _allowed(writes=False),
    "writable": _allowed(writes=True),
    "read": _called(states.Effect.READS),
    "references": _references,
    "replica": _replica,
    "role": _role,
    "rolein": _role_within,
    "roles": _roles,
    "secret": _secret,
    "started": _called(states.Effect.STARTS),
    "stream": _stream,
    "subnet": _shared("AWS::EC2::Subnet"),
    "subnetgroup": _subnet_group,
    "taskdef": _taskdef,
    "through": _through,
    "watched": _watched,
    "written": _called(states.Effect.WRITES),
}

_SERVICES = {
    **{what: arns.SPELLINGS[type_][0] for what, type_ in _NAMED.items()},
    "bucket": "s3",
    "iceberg": "glue",
    "key": "kms",
    "replica": "dynamodb",
    "role": "iam",
    "rolein": "iam",
    "roles": "iam",
    "secret": "secretsmanager",
    "taskdef": "ecs",
    "functions": "lambda",
    "group": "ec2",
    "subnet": "ec2",
    "subnetgroup": "ec2",
}
